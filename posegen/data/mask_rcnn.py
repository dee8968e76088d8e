"""torchvision's Mask R-CNN as a segmenter: the largest silhouette of one COCO class in a photo."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posegen_runtime.bundle import sha256_of
from posegen_runtime.errors import PoseGenError

Pixels = NDArray[np.uint8]
LONGEST = 1333 / 800
"""Longest side to shortest that the network was trained with; a longer photo is shrunk further."""


@dataclass(frozen=True)
class Rule:
    """Which silhouette of a photo counts: of the detections of class `name` (COCO) that score at
    least `min_score`, each binarised at `threshold`, the one of most pixels. `min_side` is the
    shorter side in pixels that the network sees; the mask has the photo's size all the same."""

    name: str = "car"
    min_score: float = 0.5
    threshold: float = 0.5
    min_side: int = 800


@dataclass(frozen=True)
class Found:
    """`mask` is uint8 [H, W] in {0, 255}, as large as the photo; None where `reason` says why."""

    mask: Pixels | None
    score: float = 0.0
    reason: str = ""


class Segmenter:
    """`network` gives for float32 RGB tensors [3, H, W] in 0..1 what torchvision's does, but its
    `masks` [N, 1, 28, 28] are still those of the boxes."""

    def __init__(self, network: Any, weights: str, rule: Rule, device: str = "cpu") -> None:
        """`weights` is their sha256. Raises `PoseGenError` for a class that COCO has not."""
        self.network = network
        self.rule = rule
        self.device = device
        self.classes = coco_classes()
        self.label = _label(rule.name, self.classes)
        self.weights = weights

    @property
    def identity(self) -> dict[str, Any]:
        """All that a mask follows from, beside the photo."""
        return {
            "network": "maskrcnn_resnet50_fpn",
            "torchvision": version("torchvision"),
            "weights": self.weights,
            "class": self.rule.name,
            "min_score": self.rule.min_score,
            "threshold": self.rule.threshold,
            "min_side": self.rule.min_side,
        }

    def find(self, photos: Sequence[Pixels]) -> list[Found]:
        """The silhouettes in RGB uint8 [H, W, 3] of any sizes."""
        import torch

        tensors = [
            torch.from_numpy(photo).to(self.device).permute(2, 0, 1).float().div(255)
            for photo in photos
        ]
        with torch.inference_mode():
            detections = self.network(tensors)
            return [
                self._largest(each, (photo.shape[0], photo.shape[1]))
                for each, photo in zip(detections, photos, strict=True)
            ]

    def masks(self, images: Pixels) -> Pixels:
        """The silhouettes in images uint8 [N, S, S, 3] as uint8 [N, S, S] in {0, 255}, empty where
        nothing is found: the judge of the paper's IoU."""
        empty = np.zeros(images.shape[1:3], np.uint8)
        found = (each.mask for each in self.find(list(images)))
        return np.stack([empty if mask is None else mask for mask in found])

    def _largest(self, detections: dict[str, Any], size: tuple[int, int]) -> Found:
        from torchvision.models.detection.roi_heads import paste_masks_in_image

        labels, scores = detections["labels"], detections["scores"]
        survivors = (labels == self.label) & (scores >= self.rule.min_score)
        best, most, score = None, 0, 0.0
        for index in survivors.nonzero()[:, 0].tolist():
            # One at a time: a hundred masks of a photo of 12 megapixels are 5 GB.
            one = slice(index, index + 1)
            pasted = paste_masks_in_image(detections["masks"][one], detections["boxes"][one], size)
            mask = pasted[0, 0] >= self.rule.threshold
            area = int(mask.sum())
            if area > most:
                best, most, score = mask, area, float(scores[index])
        if best is None:
            return Found(None, reason=self._why(labels.tolist(), scores.tolist()))
        return Found(best.to("cpu").numpy().astype(np.uint8) * np.uint8(255), score)

    def _why(self, labels: list[int], scores: list[float]) -> str:
        name, least = self.rule.name, self.rule.min_score
        of_class = [s for label, s in zip(labels, scores, strict=True) if label == self.label]
        if of_class and max(of_class) >= least:
            return f"no {name}: its mask is empty"
        if of_class:
            return f"no {name}: the best scores {max(of_class):.2f}, needed are {least:g}"
        if labels:
            others = list(dict.fromkeys(self.classes[label] for label in labels))
            return f"no {name}: what was found is {', '.join(others[:3])}"
        return f"no {name}: nothing was found"


def coco_classes() -> list[str]:
    """The names of the classes by their number, 0 being the background."""
    return list(_published().meta["categories"])


def load(
    rule: Rule, weights: Path | None = None, sha256: str | None = None, device: str = "auto"
) -> Segmenter:
    """torchvision's network with the weights of a file, or those in torch's cache.

    `sha256` is what the file's ought to be, where it is not torchvision's own.
    Raises `PoseGenError` for an unknown class, and weights that are missing, not those, or of
    another network.
    """
    import torch

    _label(rule.name, coco_classes())
    file, digest = _checked(weights, sha256)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    network = _build(rule.min_side)
    try:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises of many kinds, and their text is long
        raise PoseGenError(
            f"{file}: holds no weights of torchvision's maskrcnn_resnet50_fpn "
            f"({type(error).__name__}); give --weights {_name()}"
        ) from error
    return Segmenter(network.to(device).eval(), digest, rule, device)


def _build(min_side: int) -> Any:
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d

    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d
    )
    network: Any = MaskRCNN(
        backbone, len(coco_classes()), min_size=min_side, max_size=round(min_side * LONGEST)
    )
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = 0.0  # as these weights were trained
    network.transform.postprocess = _unpasted
    return network


def _unpasted(results: list[dict], shapes: list[tuple], sizes: list[tuple]) -> list[dict]:
    """Boxes in the photo's pixels, masks as the network gave them."""
    from torchvision.models.detection.transform import resize_boxes

    return [
        result | {"boxes": resize_boxes(result["boxes"], list(shape), list(size))}
        for result, shape, size in zip(results, shapes, sizes, strict=True)
    ]


def _checked(weights: Path | None, sha256: str | None) -> tuple[Path, str]:
    """The file of weights, and its sha256, which is the one that it ought to have."""
    import torch

    if sha256 is not None and weights is None:
        raise PoseGenError("--weights-sha256: says what the sha256 of --weights FILE is; give both")
    url = _published().url
    file = weights or Path(torch.hub.get_dir()) / "checkpoints" / _name()
    if not file.is_file():
        where = f"--weights {file}: no such file" if weights else "Mask R-CNN's weights are missing"
        raise PoseGenError(f"{where}; get {url} and put it at {file}, or name it with --weights")
    digest = sha256_of(file)
    wanted = (sha256 or _name().removesuffix(".pth").rpartition("-")[2]).lower()
    if not digest.startswith(wanted):
        raise PoseGenError(
            f"{file}: its sha256 is {digest[:12]}…, not {wanted[:12]}… as of {_name()}; get {url} "
            "again, or give --weights-sha256 with weights of your own"
            if sha256 is None
            else f"{file}: its sha256 is {digest}, not that of --weights-sha256"
        )
    return file, digest


def _published() -> Any:
    from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

    return MaskRCNN_ResNet50_FPN_Weights.COCO_V1


def _name() -> str:
    return str(_published().url).rpartition("/")[2]


def _label(name: str, classes: Sequence[str]) -> int:
    known = [one for one in classes[1:] if one != "N/A"]
    if name not in known:
        near = difflib.get_close_matches(name.lower(), known, 3) or ["car", "person", "dog"]
        raise PoseGenError(f"{name}: no class of COCO's {len(known)}; such as {', '.join(near)}")
    return list(classes).index(name)
