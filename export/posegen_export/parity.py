"""Exported graphs against the PyTorch module."""

from functools import partial

from posegen.models import Generator
from posegen_export.reference import reference_images
from posegen_export.ways import Backends, figures_by_way
from posegen_runtime.backends.base import Feeds
from posegen_runtime.parity import ParityFigures


def measure(
    generator: Generator, graphs: Backends, inputs: Feeds, max_batch: int, precision: str = "fp32"
) -> dict[str, ParityFigures]:
    """Figures of each way to an image over `inputs`; see `figures_by_way`."""
    right = partial(reference_images, generator)
    return figures_by_way(graphs, inputs, right(inputs), right, max_batch, precision)
