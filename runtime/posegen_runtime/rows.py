"""What is known about a job, before and after its image is made."""

from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.geometry import Placement
from posegen_runtime.jobs import Job
from posegen_runtime.poses import Pose, Three


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `manifest.jsonl`: a job and what became of it.

    `mask`, `appearance` and `background` are names of inputs, `image` and `mask_file` paths in
    the output directory. `object` tells apart the objects of one mask file.
    """

    mask: str
    object: str = ""
    appearance: str | None = None
    background: str | None = None
    variation: int
    state: Literal["done", "failed"]
    reason: str = ""
    image: str = ""
    mask_file: str = ""
    placement: dict[str, Any] = {}
    unclear_share: float = 0.0
    """Share of the mask file's pixels that are neither clearly black nor clearly white."""
    viewpoint: Three | None = None
    """What the model was told, in its training frame; absent where it was told nothing."""
    notes: list[str] = []
    """What may be wrong with the mask: "unclear", "mostly white", "outside: area"."""


class RejectedMask(Row, frozen=True, kw_only=True, omit_defaults=True):
    """The row of a mask that cannot be read or holds no object; in the manifest like any other."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A job whose inputs were read and stand ready for the generator."""

    job: Job
    object: str
    stem: str
    mask: npt.NDArray[np.uint8]
    """uint8 [h, w] in {0, 255} at the bundle's size."""
    placement: Placement
    appearance: npt.NDArray[np.uint8] | None
    background: npt.NDArray[np.uint8] | None
    pose: Pose | None
    notes: list[str]
    unclear_share: float = 0.0
    viewpoint: Three | None = None
    """Zeros where it is unknown; None for a model that takes none."""


def failed(job: Job, reason: str, object_name: str = "") -> Row:
    """The row of a job that gave no image, with the reason why."""
    return Row(
        mask=job.mask.name,
        object=object_name,
        appearance=job.appearance.name if job.appearance else None,
        background=job.background.name if job.background else None,
        variation=job.variation,
        state="failed",
        reason=reason,
    )


def rejected(job: Job, reason: str, object_name: str = "") -> RejectedMask:
    """The row of a job whose mask itself is the reason why it failed."""
    return RejectedMask(**msgspec.structs.asdict(failed(job, reason, object_name)))


def done(prepared: Prepared, image: str, mask_file: str) -> Row:
    """The row of a job whose files are written; paths are relative to the output directory."""
    place = prepared.placement
    return msgspec.structs.replace(
        failed(prepared.job, "", prepared.object),
        state="done",
        image=image,
        mask_file=mask_file,
        viewpoint=prepared.viewpoint if any(prepared.viewpoint or ()) else None,
        notes=prepared.notes,
        unclear_share=round(prepared.unclear_share, 4),
        placement={
            "fit": place.fit.value,
            "source_size": place.source_size,
            "target_size": place.target_size,
            "window": place.window,
            "sx": place.sx,
            "sy": place.sy,
            "tx": place.tx,
            "ty": place.ty,
        },
    )
