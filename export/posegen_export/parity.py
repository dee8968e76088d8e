"""Exported graphs against the PyTorch module: every graph at N = 1, 3 and the maximum."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from posegen.models import Generator
from posegen_export.inputs import Feeds, Inputs
from posegen_export.reference import reference_images
from posegen_runtime.backends.base import Backend
from posegen_runtime.backends.onnx import OnnxBackend
from posegen_runtime.manifest import Graph
from posegen_runtime.parity import ParityFigures, compare, unmeasured

Pixels = npt.NDArray[np.uint8]
Backends = Mapping[str, Backend]


def load_backends(folder: Path, graphs: Mapping[str, Graph]) -> dict[str, Backend]:
    """The graphs of a precision on ONNX Runtime's CPU provider."""
    return {name: OnnxBackend(folder / graph.path) for name, graph in graphs.items()}


def batch_rows(inputs: Inputs, max_batch: int) -> list[list[int]]:
    """Masks for N = 1 (a real and a random one), 3 (both kinds) and `max_batch` (all in turn)."""
    last = len(inputs.masks) - 1
    everything = [row % (last + 1) for row in range(max_batch)]
    return [[0], [last], [1, last - 1, 2], everything]


def measure(
    generator: Generator,
    backends: Backends,
    inputs: Inputs,
    max_batch: int,
) -> dict[str, ParityFigures]:
    """Figures of each way to an image, by name.

    ``generator``: the whole graph. ``cached``: conditions.onnx, then generator_cached.onnx with
    conditions of leading dimension N. ``cached shared``: the same with leading dimension 1. The
    cached ways exist where the variant takes conditions. A graph that does not run has the worst
    figures and the reason.
    """
    names = generator.config.inputs
    batches = [inputs.feeds(names, rows) for rows in batch_rows(inputs, max_batch)]

    def judge(batches: list[Feeds], run: Callable[[Feeds], Pixels]) -> ParityFigures:
        return _figures(generator, batches, run)

    figures = {"generator": judge(batches, lambda f: _whole(backends, f))}
    if "conditions" in backends:
        figures["cached"] = judge(batches, lambda f: _cached(backends, f, f))
        shared = [
            {**_first_row(feeds, len(feeds["mask"])), **_of_masks(feeds)} for feeds in batches
        ]
        figures["cached shared"] = judge(shared, lambda f: _cached(backends, f, _first_row(f, 1)))
    return figures


def _whole(backends: Backends, feeds: Feeds) -> Pixels:
    return backends["generator"].run(feeds)["image"]


def _cached(backends: Backends, feeds: Feeds, to_encode: Feeds) -> Pixels:
    each = _of_masks(feeds)
    images = {name: array for name, array in to_encode.items() if name not in each}
    conditions = backends["conditions"].run(images)
    for name, array in conditions.items():
        if not np.isfinite(array).all():
            raise ValueError(f"the condition {name} holds NaN or infinity")
    return backends["generator_cached"].run({**each, **conditions})["image"]


def _of_masks(feeds: Feeds) -> Feeds:
    """What each mask brings itself; the rest is encoded."""
    return {name: array for name, array in feeds.items() if name in ("mask", "viewpoint")}


def _first_row(feeds: Feeds, count: int) -> Feeds:
    """The first appearance and background, `count` times."""
    each = _of_masks(feeds)
    return {name: array[[0] * count] for name, array in feeds.items() if name not in each}


def _figures(
    generator: Generator, batches: list[Feeds], run: Callable[[Feeds], Pixels]
) -> ParityFigures:
    masks = np.concatenate([feeds["mask"] for feeds in batches])
    images = []
    for feeds in batches:
        try:
            images.append(run(feeds))
        except Exception as error:  # engines raise their own types
            reason = " ".join(str(error).split())
            return unmeasured(len(masks), f"does not run at N = {len(feeds['mask'])}: {reason}")
        expected = (*feeds["mask"].shape, 3)
        if images[-1].shape != expected:
            return unmeasured(
                len(masks), f"the output has shape {images[-1].shape}, must be {expected}"
            )
    reference = np.concatenate([reference_images(generator, feeds) for feeds in batches])
    return compare(np.concatenate(images), reference, masks)
