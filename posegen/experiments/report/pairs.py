"""Figure 5: of each model a sharp image in which the object is found, and a blurred one in which
it is not."""

from dataclasses import dataclass

import numpy as np

from posegen.data.prepared import Pixels
from posegen.evaluation.sharpness import sharpness
from posegen.experiments.report.strips import Strip, strip
from posegen.experiments.results import Experiment, RowResult, Shown
from posegen.metrics.analysis import correlation
from posegen.metrics.values import IOU, Values
from posegen_runtime.images import resize
from posegen_runtime.preview import outlined
from posegen_runtime.report.text import plural

BEST = 0.75
"""Quantile of IoU from which on it counts as high."""


@dataclass(frozen=True)
class Pair:
    """`sharp` is the sharpest of the quarter of the images with the highest IoU, None where IoU is
    0 in all; `blurred` the least sharp of those with the lowest IoU, None where that is the same
    image. `caption`: how sharpness and IoU go together over all images shown."""

    method: str
    caption: str
    sharp: Strip | None
    blurred: Strip | None


def pairs(experiment: Experiment) -> list[Pair]:
    """Of the rows that take a mask and have images and IoU."""
    made = [_pair(experiment, result) for result in experiment.results if result.takes_mask]
    return [each for each in made if each is not None]


def _pair(experiment: Experiment, result: RowResult) -> Pair | None:
    shown, images = experiment.shown, experiment.shown.images.get(result.key)
    if images is None or IOU not in result.values:
        return None
    iou = result.values[IOU][experiment.shown_rows()]
    detail, real = sharpness(images, shown.masks), sharpness(shown.photos, shown.masks)
    known = np.flatnonzero(~np.isnan(iou) & ~np.isnan(detail))
    if len(known) == 0:
        return None
    best = known[iou[known] >= np.quantile(iou[known], BEST)]
    worst = known[iou[known] == iou[known].min()]
    sharp, blurred = best[np.argmax(detail[best])], worst[np.argmin(detail[worst])]

    def drawn(label: str, index: int) -> Strip:
        caption = f"{iou[index]:.2f}, sharpness {detail[index]:.1f} (photo {real[index]:.1f})"
        return _strip(result, shown, label, caption, index)

    return Pair(
        result.row.method,
        _together(detail, iou),
        drawn("High IoU", sharp) if iou[sharp] > 0 else None,
        drawn("Lowest IoU", blurred) if blurred != sharp or iou[sharp] == 0 else None,
    )


def _together(detail: Values, iou: Values) -> str:
    columns = {"sharpness": detail, IOU: iou}
    count = int((~np.isnan(detail) & ~np.isnan(iou)).sum())
    r = correlation("sharpness", IOU)(columns)
    value = "unavailable, one does not vary" if np.isnan(r) else f"{r:.2f}"
    return f"r(sharpness, IoU) {value}, over {plural(count, 'shown image')}"


def _strip(result: RowResult, shown: Shown, label: str, caption: str, index: int) -> Strip:
    image = shown.images[result.key][index]
    mask = np.repeat(shown.masks[index][..., None], 3, axis=2)
    sized = strip(label, f"{caption}. {shown.names[index]}", np.stack([mask, image]), ())
    pictures, names = list(sized.pictures), ["mask", "generated image"]
    if result.key in shown.found:
        pictures.append(_outlined(pictures[1], shown.found[result.key][index]))
        names.append("outline of what the segmenter finds")
    return Strip(sized.label, sized.caption, np.stack(pictures), tuple(names))


def _outlined(picture: Pixels, found: Pixels) -> Pixels:
    mask = resize(found, (picture.shape[0], picture.shape[1]))
    return outlined(picture, np.where(mask > 127, 255, 0).astype(np.uint8))
