"""A job on its way: read, generated, written, or failed."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.geometry import Placement
from posegen_runtime.jobs import Job
from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.ledger.entries import ImageData, ImageResult
from posegen_runtime.ledger.schema import State
from posegen_runtime.poses import Pose, Three
from posegen_runtime.verdicts import Verdict

Images = npt.NDArray[np.uint8]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An image that cannot be made, and why. `of_mask`: because the mask itself is unusable."""

    object: str = ""
    mask_name: str = ""
    """As of a `Prepared`."""
    reason: str
    of_mask: bool = False


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A job whose inputs were read and stand ready for the generator."""

    job: Job
    object: str
    """Tells apart the objects of one mask file; "" where there is one."""
    stem: str
    """Of the output's files: their name without folder and suffix."""
    mask: Images
    """uint8 [h, w] in {0, 255} at the bundle's size."""
    placement: Placement
    mask_name: str = ""
    """Of the mask file that shows it, where the job is a frame of several; see `own_mask`."""
    look: str | None = None
    """The appearance that was drawn for this object, where the job has none for all."""
    appearance: Images | None
    background: Images | None
    """uint8 RGB [h, w, 3]."""
    conditions_key: bytes = b""
    """Changes with any byte of `appearance` and `background`; empty where there is neither."""
    pose: Pose | None
    notes: list[str]
    unclear_share: float = 0.0
    viewpoint: Three | None = None
    """Zeros where it is unknown; None for a model that takes none."""
    seconds: float = 0.0
    """That reading took."""

    @property
    def own_mask(self) -> str:
        """Name of the mask file that shows it."""
        return self.mask_name or self.job.mask.name


class Made(msgspec.Struct, frozen=True):
    """An image that was generated: uint8 RGB [h, w, 3] at the bundle's size."""

    prepared: Prepared
    image: Images
    verdict: Verdict | None = None
    """None where nobody judged it."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is done. `files`, by path in the output, still have to be stored: none where
    the writer did so."""

    result: ImageResult
    files: dict[str, bytes] = {}


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is over: all its images in their order, at least one."""

    job: Job
    images: list[ImageResult]
    files: dict[str, bytes] = {}
    made: list[Made] = []
    """Those of them that were generated, for a preview."""
    of_mask: bool = False
    """The mask itself is the reason why nothing was made."""


def data_of(
    prepared: Prepared,
    coco: CocoMask | None,
    verdict: Verdict | None = None,
    visible: CocoMask | None = None,
    visible_fraction: float = 1.0,
) -> ImageData:
    """What labels, manifest and report need to know later."""
    place = prepared.placement
    placement: dict[str, Any] = {
        "fit": place.fit.value,
        "source_size": place.source_size,
        "target_size": place.target_size,
        "window": place.window,
        "sx": place.sx,
        "sy": place.sy,
        "tx": place.tx,
        "ty": place.ty,
    }
    return ImageData(
        placement=placement,
        notes=prepared.notes,
        viewpoint=prepared.viewpoint if any(prepared.viewpoint or ()) else None,
        pose=prepared.pose,
        coco=coco,
        visible=visible,
        visible_fraction=visible_fraction,
        unclear_share=round(prepared.unclear_share, 4),
        verdict=verdict,
        mask=prepared.mask_name,
        appearance=prepared.look,
    )


def failed(failure: Failure, finished: float) -> ImageResult:
    """The ledger's row of a failure at the Unix time `finished`."""
    return ImageResult(
        object=failure.object,
        state=State.FAILED,
        reason=failure.reason,
        data=ImageData(mask=failure.mask_name),
        finished=finished,
    )
