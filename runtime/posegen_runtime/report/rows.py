"""What the report wants to know about each image."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.poses import Pose, Three
from posegen_runtime.verdicts import Verdict

RowState = Literal["done", "rejected", "failed", "pending"]
STATES: tuple[RowState, ...] = get_args(RowState)
MADE = ("done", "rejected")
"""States of rows whose image was generated."""


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a run, made or not. Names may hold anything that a file name can."""

    mask: str
    object: str = ""
    appearance: str | None = None
    background: str | None = None
    state: RowState
    reason: str = ""
    image: str = ""
    """Paths as `read` of `write_report` takes them: by default below the output directory."""
    mask_file: str = ""
    timings: Mapping[str, float] = {}
    """Seconds of work by stage: "read", "infer", "verify", "encode", "write"."""
    finished: float | None = None
    """Unix time at which the image was over."""

    category: str = ""
    area: float | None = None
    """Of the silhouette, as a share of the image."""
    viewpoint: Three | None = None
    """Unit vector from the object towards the camera; x forward, y left, z up."""
    pose: Pose | None = None
    """Before the camera of `image`."""
    window: tuple[int, int, int, int] | None = None
    """x0, y0, x1, y1 in `image`: the part that was generated and judged; None: all of it."""
    visible: CocoMask | None = None
    """What nearer objects leave of the silhouette in `mask_file`; None where that is all of it."""
    others: "tuple[ReportRow, ...]" = ()
    """The other objects of `image`, where they are shown together."""
    verdict: Verdict | None = None
    """None where nobody judged the image."""

    @property
    def name(self) -> str:
        """The mask's name, with the object's where the file holds several."""
        return f"{self.mask}:{self.object}" if self.object else self.mask

    @property
    def title(self) -> str:
        """Of the picture: the name, or that of the image where it shows several objects."""
        if not self.others:
            return self.name
        return f"{self.image.removeprefix('images/')}: {1 + len(self.others)} objects"
