"""What finds the silhouettes that IoU compares: a judge, or Mask R-CNN as in the paper."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posegen.data.mask_rcnn import Rule, Segmenter, load
from posegen.data.prepared import Pixels
from posegen.evaluation.judges import MaskJudge, open_judges
from posegen.evaluation.pose import resized_masks
from posegen_runtime.errors import PoseGenError


@dataclass(frozen=True)
class SegmenterChoice:
    """`coco_class` names what Mask R-CNN looks for, with its `weights` (None: those in torch's
    cache) of that `sha256` (None: torchvision's). Without a class, the segmenter in `judges`
    (None: the one that ships)."""

    judges: Path | None = None
    coco_class: str | None = None
    weights: Path | None = None
    sha256: str | None = None

    def open(self, device: str = "auto") -> MaskJudge | None:
        """None where `judges` holds no segmenter. Raises `PoseGenError` for what cannot be used."""
        if self.coco_class is None:
            if self.weights is not None or self.sha256 is not None:
                raise PoseGenError("--segment-weights: are Mask R-CNN's; give --segment CLASS too")
            return open_judges(self.judges).segmenter
        if self.judges is not None:
            raise PoseGenError("--judges, --segment: give one, they are two ways to find masks")
        rule = Rule(self.coco_class)
        try:
            return MaskRCNN(load(rule, self.weights, self.sha256, device))
        except PoseGenError as error:
            # Beside these metrics, --weights are Inception's.
            said = str(error).replace("--weights", "--segment-weights")
            raise PoseGenError(said) from error


SHIPPED = SegmenterChoice()


class MaskRCNN:
    """A `MaskJudge`; masks are as high as the images, and square."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter

    def masks(self, images: Pixels) -> Pixels:
        empty = np.zeros(images.shape[1:3], np.uint8)
        found = [each.mask for each in self._segmenter.find(list(images))]
        masks = np.stack([empty if mask is None else mask for mask in found])
        return resized_masks(masks, images.shape[1]).astype(np.uint8) * np.uint8(255)
