"""Does the object still lie where the mask asked for it? INT8 beside FP32, by the shipped judge."""

from collections.abc import Iterable

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_calibration.session import threads
from posegen_runtime.backends.base import Backend, Feeds
from posegen_runtime.judges import Segmenter, shipped_judges

MAX_LOSS = 0.01
"""Of the mean IoU."""
KNOWN_OBJECT = 0.5
"""The judge was trained on cars. Where it finds the asked silhouette in FP32's images with less
than this IoU, the object is another and the judge says nothing."""


class PoseIou(msgspec.Struct, frozen=True, kw_only=True):
    """Mean IoU of the asked silhouette with the one that the judge finds in the image.

    `shuffled`: with another sample's silhouette, what an image that ignores its mask would get.
    """

    images: int
    fp32: float
    int8: float
    shuffled: float
    judged: bool
    """Whether the judge knows the object; otherwise the figures mean nothing."""

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
    found: dict[str, list[npt.NDArray[np.bool_]]] = {"fp32": [], "int8": []}
    asked: list[npt.NDArray[np.bool_]] = []
    for feeds in batches:
        asked += _resized(feeds["mask"], judge.manifest.image_size)
        for name, backend in (("fp32", fp32), ("int8", int8)):
            found[name] += list(judge.masks(backend.run(feeds)["image"]) > 127)
    ious = {name: _mean_iou(masks, asked) for name, masks in found.items()}
    return PoseIou(
        images=len(asked),
        shuffled=_mean_iou(found["int8"], [*asked[1:], asked[0]]),
        judged=ious["fp32"] >= KNOWN_OBJECT,
        **ious,
    )


def _resized(masks: npt.NDArray[np.uint8], size: int) -> list[npt.NDArray[np.bool_]]:
    how = cv2.INTER_AREA if masks.shape[1] > size else cv2.INTER_LINEAR
    return [cv2.resize(mask, (size, size), interpolation=how) > 127 for mask in masks]


def _mean_iou(found: list[npt.NDArray[np.bool_]], asked: list[npt.NDArray[np.bool_]]) -> float:
    values = [
        float((a & b).sum() / max(int((a | b).sum()), 1)) for a, b in zip(found, asked, strict=True)
    ]
    return float(np.mean(values))
