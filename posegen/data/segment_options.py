"""Options of the commands that find silhouettes, and what is made of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posegen.choices import Device

if TYPE_CHECKING:
    from posegen.data.silhouettes import Folder

WeightsOption = Annotated[
    Path | None,
    typer.Option(
        help="Mask R-CNN's weights, torchvision's maskrcnn_resnet50_fpn_coco file.",
        show_default="in torch's cache",
    ),
]
HashOption = Annotated[
    str | None,
    typer.Option(help="sha256 of --weights, where they are not torchvision's own."),
]
DeviceOption = Annotated[Device, typer.Option(help="Of Mask R-CNN; auto takes CUDA where it is.")]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of silhouettes found before.", show_default="~/.cache/posegen/silhouettes"
    ),
]
BatchOption = Annotated[int, typer.Option(min=1, help="Photos segmented at a time.")]
ScoreOption = Annotated[
    float, typer.Option(min=0, max=1, help="A detection needs at least this score.")
]
ThresholdOption = Annotated[
    float, typer.Option(min=0, max=1, help="A pixel is object from this probability on.")
]
SideOption = Annotated[
    int,
    typer.Option(min=64, help="Shorter side that the network sees; less is faster, finds less."),
]


@dataclass(frozen=True)
class SegmentOptions:
    """What a segmenter of one class is made from."""

    name: str
    weights: Path | None = None
    sha256: str | None = None
    device: Device = Device.AUTO
    cache: Path | None = None
    batch: int = 4
    min_score: float = 0.5
    threshold: float = 0.5
    min_side: int = 800

    def open(self, photos: Path, out: Path) -> "Folder":
        """For the photos below a folder, whose masks go below `out`. Raises `PoseGenError` for
        an unknown class and for weights that cannot be used."""
        from posegen.data.mask_cache import MaskCache, default_cache
        from posegen.data.mask_rcnn import Rule, load
        from posegen.data.silhouettes import Folder

        rule = Rule(self.name, self.min_score, self.threshold, self.min_side)
        segmenter = load(rule, self.weights, self.sha256, self.device.value)
        cache = MaskCache(self.cache or default_cache(), segmenter.identity)
        return Folder(photos, out, segmenter, cache, self.batch)
