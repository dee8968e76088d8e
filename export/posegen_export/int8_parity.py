"""INT8 graphs against the images that are right: PyTorch's golden ones, and FP32's on new masks.

Nothing here needs torch or the checkpoint: a bundle brings its golden images.
"""

from collections.abc import Iterable

import numpy as np

from posegen_calibration.source import BATCH
from posegen_export.ways import Backends, Pixels, figures_by_way
from posegen_runtime.backends.base import Feeds
from posegen_runtime.parity import ParityFigures


def gathered(batches: Iterable[Feeds]) -> Feeds:
    """All batches as one."""
    parts = list(batches)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def split(feeds: Feeds) -> list[Feeds]:
    """The same in batches as small as those of calibration: activations take memory."""
    return [
        {name: array[start : start + BATCH] for name, array in feeds.items()}
        for start in range(0, len(feeds["mask"]), BATCH)
    ]


def measure_ways(
    fp32: Backends, int8: Backends, feeds: Feeds, reference: Pixels | None, max_batch: int
) -> dict[str, ParityFigures]:
    """Figures of each way to an image over `feeds`; see `figures_by_way`.

    `reference` holds the right images of `feeds`; without it, and for ``cached shared``, whose
    conditions are others, the FP32 generator makes them.
    """

    def right(batch: Feeds) -> Pixels:
        return np.concatenate([fp32["generator"].run(part)["image"] for part in split(batch)])

    if reference is None:
        reference = right(feeds)
    return figures_by_way(int8, feeds, reference, right, max_batch, "int8")
