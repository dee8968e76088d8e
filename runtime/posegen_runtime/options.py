"""What one run was asked for, checked before any work starts."""

from pathlib import Path

import msgspec

from posegen_runtime.choices import (
    Axis,
    BackendName,
    EngineName,
    Fit,
    ImageFormat,
    MaskChannel,
    MeshUnit,
    SinkName,
)
from posegen_runtime.errors import PoseGenError
from posegen_runtime.parts import WHOLE, Part

LABELS = ("bop", "coco", "kitti", "yolo")
DEFAULT_LABELS = ("coco", "yolo")
DEFAULT_CATEGORY = "object"
SLACK = 1e-6
"""Shares in decimals need not make exactly 1."""


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `posegen-run`, under the names of the command line."""

    masks: Path | None
    """None: the demo's."""
    out: Path
    bundle: Path | None = None
    appearance: Path | None = None
    background: Path | None = None
    per_mask: int = 1
    seed: int = 0
    fit: Fit = Fit.AUTO
    mask_values: str = "auto"
    mask_channel: MaskChannel = MaskChannel.AUTO
    format: ImageFormat = ImageFormat.PNG
    labels: tuple[str, ...] = DEFAULT_LABELS
    category: str | None = None
    poses: Path | None = None
    model_forward: Axis = Axis.X
    model_up: Axis = Axis.Z
    """The frame of the poses' model; it decides the viewpoint that the generator is told."""
    verify: bool = False
    segmenter: Path | None = None
    heading_judge: Path | None = None
    """Folders of judges; None: those that come along."""
    min_iou: float | None = None
    """None: what the segmenter reaches on held-out images, at the 5th percentile."""
    keep_ambiguous: bool = False
    leave_ambiguous: bool = False
    """Also of objects whose viewpoint the model is told."""
    mesh: Path | None = None
    mesh_unit: MeshUnit | None = None
    """The poses' model, and the unit of its file."""
    split: tuple[float, ...] = ()
    """Shares of train, val and test; empty: the data set is whole."""
    paste: bool = False
    """Put each generated crop back into its full-size background."""
    background_labels: Path | None = None
    """COCO annotations of the backgrounds, for the frames that they become."""
    preview: bool = False
    fresh: bool = False
    """Delete what an earlier run left in `out`, instead of going on there."""
    retry_failed: bool = False
    pairs: Path | None = None
    shard: Part = WHOLE
    sink: SinkName = SinkName.FILES
    precision: str = "fp32"
    backend: BackendName = BackendName.AUTO
    lanes: int | None = None
    batch: int | None = None
    workers: int | None = None
    engine: EngineName = EngineName.LOCAL
    address: str | None = None
    """Of a Ray cluster; None: that of $RAY_ADDRESS, else one on this machine alone."""
    actors: int | None = None
    actor_cpus: int | None = None
    actor_gpus: int | None = None
    """How many of them, and what each takes; None: what the machines of the cluster have."""


def parse_labels(text: str) -> tuple[str, ...]:
    """`--labels coco,yolo`; "none" is no labels. Raises `PoseGenError`."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words == ["none"]:
        return ()
    if not words:
        raise PoseGenError("--labels: names no format; give none for no labels")
    for word in words:
        if word == "none":
            raise PoseGenError(f"--labels {text}: none stands alone; leave it or the others out")
        if word not in LABELS:
            raise PoseGenError(f"--labels {word}: give {', '.join(LABELS)} or none")
    return tuple(sorted(set(words)))


def parse_category(text: str) -> dict[str, int]:
    """`--category NAME[:ID]` as name and COCO id, 1 when not given. Raises `PoseGenError`."""
    name, colon, number = text.rpartition(":")
    if not colon:
        name, number = text, "1"
    if not name.strip() or not number.isdecimal() or int(number) < 1:
        raise PoseGenError(f"--category {text}: give NAME or NAME:ID with an id of 1 or more")
    return {name.strip(): int(number)}


def parse_split(text: str) -> tuple[float, ...]:
    """`--split 0.9,0.1`: shares of train, val and test. Raises `PoseGenError`."""
    try:
        shares = tuple(float(word) for word in text.split(","))
    except ValueError:
        shares = ()
    in_range = all(0 < share < 1 for share in shares)
    if len(shares) not in (2, 3) or not in_range or abs(sum(shares) - 1) > SLACK:
        raise PoseGenError(
            f"--split {text}: give the shares of train and val, or of train, val and test, "
            "that make 1, such as 0.9,0.1"
        )
    return shares
