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
from posegen_runtime.parity import ParityFigures, compare, unmeasured

Pixels = npt.NDArray[np.uint8]
Backends = Mapping[str, Backend]
"""The graphs of a precision by name."""


def load_graphs(root: Path, graphs: Mapping[str, Graph]) -> dict[str, Backend]:
    """The graphs of a precision on ONNX Runtime's CPU provider."""
    return {
        name: OnnxBackend(root / graph.path, threads=threads()) for name, graph in graphs.items()
    }


def batch_rows(count: int, max_batch: int) -> list[list[int]]:
    """Which of `count` inputs go through a graph together: N = 1 (the first and the last, which is
    a random mask where there are such), 3 (both kinds), and `max_batch` until every input had its
    turn. The last batch is filled up from the start."""
    last = count - 1
    turns = [
        [row % count for row in range(start, start + max_batch)]
        for start in range(0, count, max_batch)
    ]
    return [[0], [last], [1 % count, max(last - 1, 0), 2 % count], *turns]


def figures_by_way(
    graphs: Backends,
    inputs: Feeds,
    reference: Pixels,
    right: Callable[[Feeds], Pixels],
    max_batch: int,
    *,
    ssim: bool = False,
) -> dict[str, ParityFigures]:
    """Figures of each way to an image over the batches of `batch_rows`, by name.

    ``generator``: the whole graph. ``cached``: conditions.onnx, then generator_cached.onnx with
    conditions of leading dimension N. ``cached shared``: the same with leading dimension 1. The
    cached ways exist where the variant takes conditions. A graph that does not run has the worst
    figures and the reason.

    `reference`, uint8 [N, H, W, 3], are the right images of `inputs`; `right` makes those of other
    inputs, because under ``cached shared`` the masks of a batch have the conditions of its first.
    `ssim` as for `compare`.
    """
    rows_of = batch_rows(len(inputs["mask"]), max_batch)
    batches = [(_rows(inputs, rows), reference[rows]) for rows in rows_of]

    def judge(batches: list[tuple[Feeds, Pixels]], run: Run) -> ParityFigures:
        return _figures(batches, run, ssim)

    figures = {"generator": judge(batches, lambda feeds: graphs["generator"].run(feeds)["image"])}
    if "conditions" in graphs:
        figures["cached"] = judge(batches, lambda feeds: _cached(graphs, feeds, feeds))
        alike = [_with_first_conditions(feeds) for feeds, _ in batches]
        figures["cached shared"] = judge(
            [(feeds, right(feeds)) for feeds in alike],
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


def _figures(batches: list[tuple[Feeds, Pixels]], run: Run, ssim: bool) -> ParityFigures:
    masks = np.concatenate([feeds["mask"] for feeds, _ in batches])
    images = []
    for feeds, reference in batches:
        try:
            images.append(run(feeds))
        except Exception as error:  # engines raise their own types
            reason = f"does not run at N = {len(reference)}: {one_line(error)}"
            return unmeasured(len(masks), reason)
        if images[-1].shape != reference.shape:
            return unmeasured(
                len(masks), f"the output has shape {images[-1].shape}, must be {reference.shape}"
            )
    right = np.concatenate([reference for _, reference in batches])
    return compare(np.concatenate(images), right, masks, ssim=ssim)
