"""Does the object still lie where the mask asked for it? INT8 beside FP32, by the shipped judge."""

from collections.abc import Iterable

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_calibration.session import threads
from posegen_runtime.backends.base import Backend, Feeds
from posegen_runtime.judges import Segmenter, shipped_judges

Silhouettes = list[npt.NDArray[np.bool_]]

MAX_LOSS = 0.01
"""Of the mean IoU."""
MIN_IMAGES = 16
"""With fewer, one image decides the mean."""
FOUND = 0.5
"""The judge was trained on cars. Where it finds the asked silhouettes in FP32's images with less
than this IoU, its word on INT8 means nothing: the object may be another, or FP32 misses it too."""
CHANCE = 2.0
"""FP32's IoU must also be so many times that with another sample's silhouette: large objects
overlap wherever they lie."""


class PoseIou(msgspec.Struct, frozen=True, kw_only=True):
    """Mean IoU of the asked silhouette with the one that the judge finds in the image.

    `shuffled`: INT8's with another sample's silhouette, what an image that ignores its mask would
    get; 0 where all are the same.
    """

    images: int
    fp32: float
    int8: float
    shuffled: float
    judged: bool
    """Whether there is a gate; otherwise the figures mean nothing."""
    why_not: str = ""
    """Why there is none."""

    @property
    def missed(self) -> list[str]:
        if not self.judged or self.int8 >= self.fp32 - MAX_LOSS:
            return []
        return [
            f"pose IoU {self.int8:.4f}, FP32's is {self.fp32:.4f}: may be at most {MAX_LOSS} lower"
        ]


def measure_pose(fp32: Backend, int8: Backend, batches: Iterable[Feeds]) -> PoseIou:
    """Over `batches`, inputs of the whole generator, which calibration has not seen."""
    judge = Segmenter(shipped_judges() / "segmenter", threads=threads())
    found: dict[str, Silhouettes] = {"fp32": [], "int8": []}
    asked: Silhouettes = []
    for feeds in batches:
        asked += _resized(feeds["mask"], judge.manifest.image_size)
        for name, backend in (("fp32", fp32), ("int8", int8)):
            found[name] += list(judge.masks(backend.run(feeds)["image"]) > 127)
    others = _others(asked)
    fp32_iou = _mean_iou(found["fp32"], asked)
    by_chance = _mean_iou(found["fp32"], others)
    why_not = _why_not(len(asked), fp32_iou, by_chance)
    return PoseIou(
        images=len(asked),
        fp32=fp32_iou,
        int8=_mean_iou(found["int8"], asked),
        shuffled=_mean_iou(found["int8"], others),
        judged=not why_not,
        why_not=why_not,
    )


def _why_not(images: int, fp32: float, by_chance: float) -> str:
    if images < MIN_IMAGES:
        return f"{images} held-out masks are too few to judge, {MIN_IMAGES} are needed"
    if fp32 < FOUND or fp32 < CHANCE * by_chance:
        return (
            "the shipped judge does not see the asked silhouettes in FP32's images either "
            f"(IoU {fp32:.3f}, with shuffled masks {by_chance:.3f})"
        )
    return ""


def _others(asked: Silhouettes) -> Silhouettes:
    """For each the next one that is another silhouette, and an empty one where there is none."""
    following = [[*asked[row + 1 :], *asked[:row]] for row in range(len(asked))]
    return [
        next((b for b in after if not np.array_equal(a, b)), np.zeros_like(a))
        for a, after in zip(asked, following, strict=True)
    ]


def _resized(masks: npt.NDArray[np.uint8], size: int) -> Silhouettes:
    how = cv2.INTER_AREA if masks.shape[1] > size else cv2.INTER_LINEAR
    return [cv2.resize(mask, (size, size), interpolation=how) > 127 for mask in masks]


def _mean_iou(found: Silhouettes, asked: Silhouettes) -> float:
    values = [
        float((a & b).sum() / max(int((a | b).sum()), 1)) for a, b in zip(found, asked, strict=True)
    ]
    return float(np.mean(values))
