"""Every way to an image, measured: the graphs of one precision against the images that are right.

What is right, and who says so, is the caller's: nothing here needs torch.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_calibration.session import threads
from posegen_runtime.backends.base import Backend, Feeds, one_line
from posegen_runtime.backends.onnx import OnnxBackend
from posegen_runtime.bundle import OF_MASKS
from posegen_runtime.manifest import Graph
from posegen_runtime.parity import GATES, ParityFigures, compare, unmeasured

Pixels = npt.NDArray[np.uint8]
Backends = Mapping[str, Backend]
"""The graphs of a precision by name."""
SAME = 1
"""Levels by which an image may differ between batches of another size, where sums are taken in
another order: anywhere or, in INT8, in the root mean square. A value on the border of two steps
falls to the other one there, and a pixel in a thousand differs by more."""


def load_graphs(root: Path, graphs: Mapping[str, Graph]) -> dict[str, Backend]:
    """The graphs of a precision on ONNX Runtime's CPU provider."""
    return {
        name: OnnxBackend(root / graph.path, threads=threads()) for name, graph in graphs.items()
    }


def batch_rows(count: int, max_batch: int) -> list[list[int]]:
    """Which of `count` inputs go through a graph together: `max_batch` until every input had its
    turn. The last batch is filled up from the start."""
    return [
        [row % count for row in range(start, start + max_batch)]
        for start in range(0, count, max_batch)
    ]


def small_batches(count: int, max_batch: int) -> list[tuple[int, list[int]]]:
    """The same inputs in batches of 1 and 3: which batch of `batch_rows`, and places in it.

    N = 1: the first input, and the last, which is a random mask where there are such. N = 3: of the
    last batch, around that last input. Three inputs of one batch, since under ``cached shared``
    those of others have other conditions.
    """
    batches = -(-count // max_batch)
    last = (count - 1) % max_batch
    return [
        (0, [0]),
        (batches - 1, [last]),
        (batches - 1, [1 % max_batch, last, 2 % max_batch]),
    ]


def figures_by_way(
    graphs: Backends,
    inputs: Feeds,
    reference: Pixels,
    right: Callable[[Feeds], Pixels],
    max_batch: int,
    precision: str,
) -> dict[str, ParityFigures]:
    """Figures of each way to an image, by name, over the batches of `batch_rows`.

    Each input counts once. Those of `small_batches` run too: an image that is another one there
    than in a full batch (by more than `SAME` levels) leaves nothing to measure.

    ``generator``: the whole graph. ``cached``: conditions.onnx, then generator_cached.onnx with
    conditions of leading dimension N. ``cached shared``: the same with leading dimension 1. The
    cached ways exist where the variant takes conditions. A graph that does not run has the worst
    figures and the reason.

    `reference`, uint8 [N, H, W, 3], are the right images of `inputs`; `right` makes those of other
    inputs, because under ``cached shared`` the masks of a batch have the conditions of its first.
    `precision` decides whether SSIM is measured, and what the same image is.
    """
    batches = [_rows(inputs, rows) for rows in batch_rows(len(inputs["mask"]), max_batch)]

    def judge(batches: list[Feeds], reference: Pixels, run: Run) -> ParityFigures:
        return _figures(batches, reference, run, precision)

    figures = {
        "generator": judge(
            batches, reference, lambda feeds: graphs["generator"].run(feeds)["image"]
        )
    }
    if "conditions" in graphs:
        figures["cached"] = judge(batches, reference, lambda feeds: _cached(graphs, feeds, feeds))
        alike = [_with_first_conditions(feeds) for feeds in batches]
        figures["cached shared"] = judge(
            alike,
            right(_joined(alike, len(reference))),
            lambda feeds: _cached(graphs, feeds, _rows(feeds, [0])),
        )
    return figures


Run = Callable[[Feeds], npt.NDArray[Any]]


def _rows(feeds: Feeds, rows: list[int]) -> Feeds:
    return {name: array[rows] for name, array in feeds.items()}


def _with_first_conditions(feeds: Feeds) -> Feeds:
    return {
        name: array if name in OF_MASKS else np.repeat(array[:1], len(array), axis=0)
        for name, array in feeds.items()
    }


def _cached(graphs: Backends, feeds: Feeds, to_encode: Feeds) -> npt.NDArray[Any]:
    images = {name: array for name, array in to_encode.items() if name not in OF_MASKS}
    each = {name: array for name, array in feeds.items() if name in OF_MASKS}
    conditions = graphs["conditions"].run(images)
    for name, array in conditions.items():
        if not np.isfinite(array).all():
            raise ValueError(f"the condition {name} holds NaN or infinity")
    return graphs["generator_cached"].run({**each, **conditions})["image"]


def _figures(batches: list[Feeds], reference: Pixels, run: Run, precision: str) -> ParityFigures:
    """`batches` are equally large, and what is beyond `reference` in them fills the last one up."""
    count = len(reference)
    small = small_batches(count, len(batches[0]["mask"]))
    images = []
    for feeds in [*(_rows(batches[batch], places) for batch, places in small), *batches]:
        try:
            images.append(run(feeds))
        except Exception as error:  # engines raise their own types
            reason = f"does not run at N = {len(feeds['mask'])}: {one_line(error)}"
            return unmeasured(count, reason)
        shape = (*feeds["mask"].shape, 3)
        if images[-1].shape != shape:
            return unmeasured(count, f"the output has shape {images[-1].shape}, must be {shape}")
    full = images[len(small) :]
    masks = _joined(batches, count)["mask"]
    ssim = GATES[precision].needs_ssim
    figures = compare(np.concatenate(full)[:count], reference, masks, ssim=ssim)
    if figures.invalid:
        return figures
    for (batch, places), alone in zip(small, images, strict=False):
        difference = _difference(alone, full[batch][places], precision)
        if not difference <= SAME:
            return unmeasured(
                count,
                f"makes another image at N = {len(places)} than in a full batch: "
                f"differs by {difference:.3g} levels",
            )
    return figures


def _joined(batches: list[Feeds], count: int) -> Feeds:
    return {name: np.concatenate([feeds[name] for feeds in batches])[:count] for name in batches[0]}


def _difference(images: npt.NDArray[Any], others: npt.NDArray[Any], precision: str) -> float:
    """See `SAME`; of the worst image."""
    levels = np.abs(images.astype(np.float64) - others)
    if precision == "int8":
        return float(np.sqrt((levels**2).mean(axis=(1, 2, 3))).max())
    return float(levels.max())
