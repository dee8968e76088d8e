"""A network that answers as Mask R-CNN does, and finds what is red."""

from typing import Any

import cv2
import numpy as np
import torch

from posegen.data.mask_rcnn import Rule, Segmenter, coco_classes


class RedNetwork:
    """One detection of `label` round all red pixels, its mask at 28×28; counts what it was asked.
    After `stop_after` photos it is interrupted."""

    def __init__(self, label: str = "car", score: float = 0.9, stop_after: int = 1000) -> None:
        self.label, self.score, self.stop_after = coco_classes().index(label), score, stop_after
        self.batches: list[int] = []

    def __call__(self, photos: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        if sum(self.batches) + len(photos) > self.stop_after:
            raise KeyboardInterrupt
        self.batches.append(len(photos))
        return [self._detect(photo) for photo in photos]

    def _detect(self, photo: torch.Tensor) -> dict[str, torch.Tensor]:
        red = ((photo[0] - photo[1]) > 0.25).numpy().astype(np.uint8)
        if not red.any():
            return detections([])
        x, y, width, height = cv2.boundingRect(red)
        part = red[y : y + height, x : x + width].astype(np.float32)
        mask = cv2.resize(part, (28, 28), interpolation=cv2.INTER_AREA)
        return detections([((x, y, x + width, y + height), self.label, self.score, mask)])


def detections(found: list[tuple[Any, int, float, Any]]) -> dict[str, torch.Tensor]:
    """What the network gives for (box, label, score, mask [28, 28] or a number for all of it)."""
    masks = [np.broadcast_to(np.float32(each[3]), (28, 28)) for each in found]
    return {
        "boxes": torch.tensor([each[0] for each in found], dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor([each[1] for each in found], dtype=torch.int64),
        "scores": torch.tensor([each[2] for each in found], dtype=torch.float32),
        "masks": torch.from_numpy(np.array(masks, np.float32).reshape(-1, 1, 28, 28)),
    }


def red_segmenter(network: RedNetwork | None = None, weights: str = "red") -> Any:
    """Takes the place of `mask_rcnn.load`."""

    def load(rule: Rule, *_: object) -> Segmenter:
        return Segmenter(network or RedNetwork(), weights, rule)

    return load
