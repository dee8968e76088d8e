"""Pictures that explain the figures: the worst images, and those nearest to a training photo."""

import cv2
import msgspec
import numpy as np

from posegen.data.prepared import Pixels
from posegen.evaluation.measure import Columns, Evaluator
from posegen.evaluation.samples import Order, Samples
from posegen_runtime.report.gallery import jpeg, outline_path

WORST, NEAREST = 24, 8
SIDE = 208
"""Pixels of each picture of a pair."""
MAX_BYTES = 24_000


class Pair(msgspec.Struct, frozen=True):
    """A generated image, left, and what it is compared with, as one `jpeg` in base64."""

    jpeg: str
    photo: str
    """Path in the data set of the sample's photo."""
    caption: str
    asked: str
    """Outlines as SVG paths in the left half: of the mask, and of the silhouette found there."""
    found: str


def worst(evaluator: Evaluator, samples: Samples, columns: Columns) -> list[Pair]:
    """The `WORST` images of the lowest IoU, the lowest first, beside the real photo; none without a
    segmenter."""
    segmenter = evaluator.judges.segmenter
    rows = _lowest(columns, "iou", WORST)
    if segmenter is None or len(rows) == 0:
        return []
    batch = samples.read(rows)
    images = evaluator.generate(batch)
    found = segmenter.masks(images)
    return [
        Pair(
            _jpeg(images[i], batch.photo[i]),
            _name(samples, row),
            _caption(columns, row),
            outline_path(batch.mask[i], SIDE, SIDE),
            outline_path(found[i], SIDE, SIDE),
        )
        for i, row in enumerate(rows)
    ]


def nearest(evaluator: Evaluator, samples: Samples, columns: Columns) -> list[Pair]:
    """The `NEAREST` images that a training photo resembles most, beside that photo; none where
    there are no training photos."""
    training = evaluator.training
    rows = _lowest(columns, "nearest", NEAREST)
    if training is None or len(rows) == 0:
        return []
    batch = samples.read(rows)
    images = evaluator.generate(batch)
    others = training.nearest(images, batch.mask)[1]
    photos = training.samples.photo(others)
    return [
        Pair(
            _jpeg(images[i], photos[i]),
            _name(samples, row),
            f"{columns['nearest'][row]:.1f} levels from {_name(training.samples, others[i])}",
            outline_path(batch.mask[i], SIDE, SIDE),
            "",
        )
        for i, row in enumerate(rows)
    ]


def _lowest(columns: Columns, name: str, count: int) -> Order:
    """The rows of the lowest values, the lowest first; the first of equals."""
    values = columns.get(name, np.empty(0))
    order = np.argsort(values, kind="stable")
    return order[~np.isnan(values[order])][:count]


def _caption(columns: Columns, row: int) -> str:
    words = [f"IoU {columns['iou'][row]:.3f}, of the real photo {columns['iou_real'][row]:.3f}"]
    heading = columns.get("heading", np.full(row + 1, np.nan))[row]
    if not np.isnan(heading):
        words.append(f"heading {heading:.0f}° off")
    return ", ".join(words)


def _jpeg(left: Pixels, right: Pixels) -> str:
    pair = [
        cv2.resize(picture[..., ::-1], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        for picture in (left, right)
    ]
    return jpeg(np.asarray(np.hstack(pair), np.uint8), MAX_BYTES)


def _name(samples: Samples, row: int) -> str:
    return samples.samples[row].photo.relative_to(samples.root).as_posix()
