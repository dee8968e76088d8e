"""INT8 graphs against the images that are right: PyTorch's golden ones, and FP32's on new masks.

Nothing here needs torch or the checkpoint: a bundle brings its golden images.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_calibration.session import threads
from posegen_export.int8_graphs import INT8
from posegen_runtime.backends.base import Backend, Feeds
from posegen_runtime.backends.onnx import OnnxBackend
from posegen_runtime.bundle import Bundle
from posegen_runtime.images import read_rgb
from posegen_runtime.manifest import Graph
from posegen_runtime.noise import gated
from posegen_runtime.parity import ParityFigures, compare, unmeasured
from posegen_runtime.viewpoints import UNKNOWN

Pixels = npt.NDArray[np.uint8]
Backends = dict[str, Backend]
OF_MASKS = ("mask", "viewpoint")


def load_graphs(root: Path, graphs: dict[str, Graph]) -> Backends:
    """On ONNX Runtime's CPU provider."""
    return {
        name: OnnxBackend(root / graph.path, threads=threads()) for name, graph in graphs.items()
    }


def golden_set(bundle: Bundle) -> tuple[Feeds, Pixels]:
    """Inputs of the generator that INT8's gate counts, and PyTorch's images uint8 [N, H, W, 3]."""
    masks = [read_rgb(bundle.path(row.mask))[..., 0] for row in bundle.manifest.golden]
    counted = [i for i, mask in enumerate(masks) if gated(mask, INT8)]
    rows = [bundle.manifest.golden[i] for i in counted]

    def stack(name: str) -> Pixels:
        paths = [getattr(row, name) or bundle.manifest.defaults[name] for row in rows]
        return np.stack([read_rgb(bundle.path(path)) for path in paths])

    feeds: Feeds = {name: stack(name) for name in bundle.conditions}
    feeds["mask"] = np.stack([masks[i] for i in counted])
    if bundle.takes_viewpoint:
        feeds["viewpoint"] = np.array([row.viewpoint or UNKNOWN for row in rows], np.float32)
    return feeds, stack("image")


def gathered(batches: Iterable[Feeds]) -> Feeds:
    """All batches as one."""
    parts = list(batches)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def measure_ways(
    fp32: Backends, int8: Backends, feeds: Feeds, reference: Pixels | None, max_batch: int
) -> dict[str, ParityFigures]:
    """Figures of each way to an image at N = 1, 3 and `max_batch`, by name.

    ``generator``, and where there are conditions ``cached`` (encoded conditions of N rows) and
    ``cached shared`` (of one row). `reference` holds the right images of `feeds`; without it, and
    for ``cached shared``, whose conditions are others, the FP32 generator makes them.
    """
    batches = [(_rows(feeds, rows), rows) for rows in _batch_rows(len(feeds["mask"]), max_batch)]

    def right(batch: Feeds, rows: list[int]) -> Pixels:
        return fp32["generator"].run(batch)["image"] if reference is None else reference[rows]

    plain = [(batch, right(batch, rows)) for batch, rows in batches]
    figures = {"generator": _figures(plain, lambda batch: int8["generator"].run(batch)["image"])}
    if "conditions" in int8:
        figures["cached"] = _figures(plain, lambda batch: _cached(int8, batch, batch))
        shared = [_with_first_conditions(batch) for batch, _ in batches]
        figures["cached shared"] = _figures(
            [(batch, fp32["generator"].run(batch)["image"]) for batch in shared],
            lambda batch: _cached(int8, batch, _rows(batch, [0])),
        )
    return figures


def _batch_rows(count: int, max_batch: int) -> list[list[int]]:
    last = count - 1
    everything = [row % count for row in range(max(max_batch, 1))]
    return [[0], [last], [1 % count, max(last - 1, 0), 2 % count], everything]


def _rows(feeds: Feeds, rows: list[int]) -> Feeds:
    return {name: array[rows] for name, array in feeds.items()}


def _with_first_conditions(feeds: Feeds) -> Feeds:
    return {
        name: array if name in OF_MASKS else np.repeat(array[:1], len(array), axis=0)
        for name, array in feeds.items()
    }


def _cached(backends: Backends, feeds: Feeds, to_encode: Feeds) -> npt.NDArray[Any]:
    images = {name: array for name, array in to_encode.items() if name not in OF_MASKS}
    each = {name: array for name, array in feeds.items() if name in OF_MASKS}
    encoded = backends["conditions"].run(images)
    return backends["generator_cached"].run({**each, **encoded})["image"]


def _figures(
    batches: list[tuple[Feeds, Pixels]], run: Callable[[Feeds], npt.NDArray[Any]]
) -> ParityFigures:
    masks = np.concatenate([feeds["mask"] for feeds, _ in batches])
    images = []
    for feeds, reference in batches:
        try:
            images.append(run(feeds))
        except Exception as error:  # engines raise their own types
            reason = " ".join(str(error).split())
            return unmeasured(len(masks), f"does not run at N = {len(reference)}: {reason}")
        if images[-1].shape != reference.shape:
            return unmeasured(
                len(masks), f"the output has shape {images[-1].shape}, must be {reference.shape}"
            )
    right = np.concatenate([reference for _, reference in batches])
    return compare(np.concatenate(images), right, masks, ssim=True)
