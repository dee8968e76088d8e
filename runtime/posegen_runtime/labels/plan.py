"""What labels a run writes, and how: all that does not stand in the ledger's rows."""

from collections.abc import Mapping
from typing import Any

import msgspec

from posegen_runtime.choices import Axis, SinkName
from posegen_runtime.labels.cuboids import ModelBox, ModelFrame
from posegen_runtime.labels.splits import Split


class LabelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The same for a run and for the shards that are merged into it."""

    formats: tuple[str, ...]
    """Of `options.LABELS`."""
    categories: dict[str, int]
    """Name to COCO id."""
    with_poses: bool
    """Whether poses were given, and label files stand beside the images."""
    with_paste: bool = False
    """Whether images are whole frames that crops were pasted into."""
    split: Split | None = None
    keep_ambiguous: bool = False
    """Whether poses that silhouettes leave open stand in BOP and KITTI, too."""
    leave_ambiguous: bool = False
    """Whether they are left out also where the model was told the viewpoint."""

    model: ModelFrame = ModelFrame()

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of the data set; one where it is whole."""
        return self.split.parts if self.split else ("train",)

    @classmethod
    def of(cls, identity: Mapping[str, Any]) -> "LabelPlan":
        """From the values of a ledger's `Identity`."""
        in_files = identity["--sink"] == SinkName.FILES.value
        shares, mesh = identity.get("--split"), identity.get("--mesh")
        return cls(
            formats=tuple(name for name in identity["--labels"].split(",") if name and in_files),
            categories=dict(identity["--category"]),
            with_poses=in_files and identity["--poses"] is not None,
            with_paste=identity.get("--paste") is not None,
            keep_ambiguous=bool(identity.get("--keep-ambiguous")),
            leave_ambiguous=bool(identity.get("--leave-ambiguous")),
            model=ModelFrame(
                forward=Axis(identity.get("--model-forward", Axis.X.value)),
                box=ModelBox(tuple(mesh["low"]), tuple(mesh["size"])) if mesh else None,
                up=Axis(identity.get("--model-up", Axis.Z.value)),
            ),
            split=Split(shares=tuple(shares), seed=identity["--seed"]) if shares else None,
        )
