"""What the report wants to know about each image."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

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
    """Seconds of work by stage: "read", "infer", "encode", "write"."""
    finished: float | None = None
    """Unix time at which the image was over."""

    @property
    def name(self) -> str:
        """The mask's name, with the object's where the file holds several."""
        return f"{self.mask}:{self.object}" if self.object else self.mask
