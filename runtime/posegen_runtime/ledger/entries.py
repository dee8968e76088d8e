"""What goes into the ledger and comes out of it."""

from typing import Any

import msgspec

from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.ledger.schema import State
from posegen_runtime.poses import Pose, Three
from posegen_runtime.verdicts import Verdict


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job to do. `mask`, `appearance` and `background` are names of inputs, as in `Source`."""

    job: int
    """Its place among the jobs that were planned, from 0."""
    mask: str
    stem: str
    variation: int
    suffix: str
    """`Job.variation_suffix`."""
    appearance: str | None
    background: str | None
    attempts: int
    """How often it was finished before: 0, or more for one that failed and is tried again."""


class ImageData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What labels, manifest and report need to know about one image."""

    mask: str = ""
    """Name of the mask file that shows this object, where the job is a frame of several."""
    appearance: str | None = None
    """The one drawn for this object, where the job has none for all."""
    placement: dict[str, Any] = {}
    notes: list[str] = []
    viewpoint: Three | None = None
    pose: Pose | None = None
    coco: CocoMask | None = None
    """The whole silhouette, whatever hides a part of it."""
    visible: CocoMask | None = None
    """What nearer objects leave of it; None where that is all of it."""
    visible_fraction: float = 1.0
    misfit: float | None = None
    """IoU of the mesh, seen by the pose, with the silhouette, where it is too low to be that one;
    None where it fits or nobody looked."""
    unclear_share: float = 0.0
    verdict: Verdict | None = None
    """None where nobody judged the image."""


class ImageResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one image of a job.

    `image` and `mask_file` are paths in the output directory, "" where there is none. `timings`
    are seconds by stage, `finished` is the Unix time.
    """

    object: str = ""
    """Tells apart the objects of one mask file; each comes once in a job."""
    state: State
    reason: str = ""
    image: str = ""
    mask_file: str = ""
    data: ImageData = ImageData()
    timings: dict[str, float] = {}
    finished: float


class JobResult(msgspec.Struct, frozen=True):
    """A job that is over, with its images in their order: at least one."""

    job: int
    images: list[ImageResult]


class ImageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger. `finished` is None while the image is pending."""

    job: int
    object: str
    mask: str
    stem: str
    variation: int
    suffix: str
    appearance: str | None
    background: str | None
    state: State
    attempts: int
    reason: str
    image: str
    mask_file: str
    data: ImageData
    timings: dict[str, float]
    finished: float | None


class Counts(msgspec.Struct, frozen=True):
    """Images by state; `planned` is their sum.

    A job that planning did not reach yet is pending too. `planned` grows where a mask file turns
    out to hold several objects.
    """

    planned: int
    done: int
    rejected: int
    failed: int
    pending: int


class Reason(msgspec.Struct, frozen=True):
    """Why `count` images were not made. `example` is the name of one input that it is about."""

    state: State
    reason: str
    count: int
    example: str
