"""The precisions that come straight from the checkpoint: their graphs and their proof."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from posegen.models import Generator
from posegen_export.graphs import write_graphs
from posegen_export.half import half_images
from posegen_export.half_layers import layer_losses, worst_layers
from posegen_export.inputs import Inputs
from posegen_export.overflow import overflowing, record_of
from posegen_export.parity import measure
from posegen_export.reference import reference_images
from posegen_export.ways import load_graphs
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import Graph
from posegen_runtime.parity import GATES, ParityFigures, compare

FP32 = "fp32"
FP16 = "fp16"
Figures = dict[str, ParityFigures]
"""Figures by the way to an image."""

BLAMED_ROWS = 8
"""Inputs over which layers are compared when a gate is missed."""


@dataclass(frozen=True)
class Variant:
    """One precision, written and measured. `missed`: a line for each gate missed; `blame`: for
    each layer that is the cause; `record`: what its parity entry holds besides the figures."""

    graphs: dict[str, Graph]
    figures: Figures
    missed: list[str]
    blame: list[str] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)


def missed_by(figures: Mapping[str, ParityFigures], precision: str = FP32) -> list[str]:
    """What misses the gate of `precision`, one line for each figure, with the way it was
    measured."""
    gate = GATES[precision]
    return [f"{way}: {line}" for way, f in figures.items() for line in gate.missed(f)]


def parse_precisions(text: str) -> list[str]:
    """ "fp32,fp16" → the precisions to write, fp32 first and always.

    Raises `PoseGenError` for any other name.
    """
    asked = [part.strip() for part in text.split(",")]
    for name in asked:
        if name not in WRITERS:
            raise PoseGenError(
                f"precision {name!r}: this command writes {' and '.join(WRITERS)}; "
                "posegen-export int8 adds INT8 to a bundle"
            )
    return [name for name in WRITERS if name == FP32 or name in asked]


def write_variant(
    precision: str, generator: Generator, root: Path, inputs: Inputs, max_batch: int
) -> Variant:
    """Write the graphs of `precision` to ``root/precision`` and measure every way to an image."""
    return WRITERS[precision](generator, root, inputs, max_batch)


def _fp32(generator: Generator, root: Path, inputs: Inputs, max_batch: int) -> Variant:
    graphs = write_graphs(generator, root, FP32)
    feeds = inputs.feeds(generator.config.inputs)
    figures = measure(generator, load_graphs(root, graphs), feeds, max_batch)
    return Variant(graphs, figures, missed_by(figures))


def _fp16(generator: Generator, root: Path, inputs: Inputs, max_batch: int) -> Variant:
    """The module in true half precision is measured too: only there an overflow shows."""
    half = generator.half_precision()
    module, peaks = measure_half(generator, half, inputs)
    graphs = write_graphs(half, root, FP16)
    figures = {"module": module}
    feeds = inputs.feeds(generator.config.inputs)
    figures |= measure(generator, load_graphs(root, graphs), feeds, max_batch, FP16)
    overflow = overflowing(peaks)
    missed = [*overflow, *missed_by(figures, FP16)]
    blame = []
    if missed and not overflow:
        rows = range(min(BLAMED_ROWS, len(inputs.masks)))
        some = inputs.feeds(generator.config.inputs, rows)
        blame = worst_layers(layer_losses(generator, half, some))
    return Variant(graphs, figures, missed, blame, record_of(peaks))


def measure_half(
    generator: Generator, half: Generator, inputs: Inputs
) -> tuple[ParityFigures, dict[str, float]]:
    """Figures of `half` (`generator.half_precision`) in PyTorch over all `inputs`, and the largest
    value of every float16 tensor on the way (see `HalfArithmetic.peaks`)."""
    feeds = inputs.feeds(generator.config.inputs)
    images, peaks = half_images(half, feeds)
    return compare(images, reference_images(generator, feeds), feeds["mask"]), peaks


WRITERS: dict[str, Callable[[Generator, Path, Inputs, int], Variant]] = {FP32: _fp32, FP16: _fp16}
