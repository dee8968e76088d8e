"""From names to arrays: the part of a job that comes before the generator."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.cache import BoundedCache, content_key
from posegen_runtime.errors import PoseGenError, printable
from posegen_runtime.frames.files import FrameFiles
from posegen_runtime.geometry import Fit, Placement, place
from posegen_runtime.images import read_resized_rgb, read_rgb
from posegen_runtime.jobs import Job, Looks
from posegen_runtime.labels.background import AnnotatedSizes
from posegen_runtime.mask_range import outside
from posegen_runtime.masks import MaskReading, Silhouette
from posegen_runtime.poses import Pose, Three
from posegen_runtime.rows import Failure, Prepared
from posegen_runtime.sources import Source
from posegen_runtime.viewpoints import UNKNOWN

Image = npt.NDArray[np.uint8]
Window = tuple[int, int, int, int] | None

DECODED_BYTES = 256 * 2**20
"""Room for decoded backgrounds in their own size."""
PLACED_BYTES = 16 * 2**20
"""Room for masks at the model's size: the variations of one follow each other."""
READY_BYTES = 64 * 2**20
"""Room for each kind of photo at the model's size: 300 images of 256×256."""

UNCLEAR = 0.01
"""A mask with a larger share of pixels that are neither black nor white is noted."""
MOSTLY_WHITE = 0.5
MOST_PADDED = 2
"""A crop that goes back into its frame may be so many times as wide or high."""
MAX_NAME = 251
"""Bytes of an output's name without suffix: file systems take 255."""
MAX_PATH, MAX_DEPTH = 3000, 200
"""Bytes and folders of its path below the output: systems take 4096 bytes in all."""


class Placed(msgspec.Struct, frozen=True):
    """One silhouette of a mask file at the model's size, or the reason why there is none."""

    suffix: str
    mask: Image | None = None
    placement: Placement | None = None
    notes: list[str] = []
    unclear_share: float = 0.0
    reason: str = ""


class Keyed(NamedTuple):
    """A condition at the model's size, with a key that changes with any byte of it."""

    image: Image
    key: bytes


class Preparer:
    """Reads the inputs of jobs; safe to use from several threads.

    `viewpoints` by mask name, those that are known; None for a model that takes none. `sharers`:
    so many of its kind have the room for read files between them. `again`: masks are kept for the
    next jobs, which they may come back in. `frames`: of a run that pastes crops into whole frames;
    then every crop is cut out of its frame, and poses stay the frame's. `looks` draws what a job
    has no appearance for. `annotated`: sizes that backgrounds must have.
    """

    def __init__(
        self,
        size: tuple[int, int],
        reading: MaskReading,
        fit: Fit,
        poses: Mapping[str, Pose],
        mask_range: Mapping[str, tuple[float, float]],
        viewpoints: Mapping[str, Three] | None = None,
        frames: FrameFiles | None = None,
        looks: Looks | None = None,
        annotated: AnnotatedSizes | None = None,
        sharers: int = 1,
        again: bool = True,
    ) -> None:
        self._frames = frames
        self._looks = looks
        self._annotated = annotated
        self._size = size
        self._reading = reading
        self._fit = fit
        self._poses = poses
        self._mask_range = mask_range
        self._viewpoints = viewpoints
        self._masks: BoundedCache[str, list[Placed]] = BoundedCache(
            PLACED_BYTES // sharers if again else 0, _placed_bytes
        )
        ready = READY_BYTES // sharers
        self._appearances: BoundedCache[Path, Keyed] = BoundedCache(ready, _keyed_bytes)
        self._backgrounds: BoundedCache[tuple[Path, Window], Keyed]
        self._backgrounds = BoundedCache(ready, _keyed_bytes)
        self._decoded: BoundedCache[Path, Image] = BoundedCache(DECODED_BYTES // sharers, _bytes)
        self._shapes: dict[Path, tuple[int, int]] = {}

    def __call__(self, job: Job) -> list[Prepared | Failure]:
        """The silhouettes of one job, each ready to generate or failed with its reason."""
        members = self._frames.members(job) if self._frames else (("", job.mask),)
        items = [item for name, mask in members for item in self._of_file(job, name, mask)]
        return self._agreeing(items) if len(members) > 1 else items

    def _of_file(self, job: Job, name: str, mask: Source) -> list[Prepared | Failure]:
        """The silhouettes of the file `mask`; `name` tells it apart from the job's others."""
        start = time.perf_counter()
        own = _own_name(job, mask)
        try:
            placed = self._silhouettes(mask)
            opening = (time.perf_counter() - start) / max(1, len(placed))
            return [self._prepare(job, name, mask, one, opening) for one in placed]
        except PoseGenError as error:
            return [Failure(object=name, mask_name=own, reason=_reason(error, mask), of_mask=True)]
        except Exception as error:  # what no decoder was known to raise costs a row, not the night
            reason = printable(f"{type(error).__name__}: {error}".rstrip(": "))
            return [Failure(object=name, mask_name=own, reason=f"cannot be read ({reason})")]

    def _agreeing(self, items: list[Prepared | Failure]) -> list[Prepared | Failure]:
        """Those of one frame must have one size; that of the first holds."""
        sizes = [item.placement.source_size for item in items if isinstance(item, Prepared)]

        def checked(item: Prepared | Failure) -> Prepared | Failure:
            if isinstance(item, Failure) or item.placement.source_size == sizes[0]:
                return item
            (height, width), (first_height, first_width) = item.placement.source_size, sizes[0]
            reason = (
                f"{item.mask_name}: the mask is {width}×{height} pixels, another one of its frame "
                f"{first_width}×{first_height}; give masks of the whole frame"
            )
            return Failure(
                object=item.object, mask_name=item.mask_name, reason=reason, of_mask=True
            )

        return [checked(item) for item in items]

    def _prepare(
        self, job: Job, name: str, mask: Source, silhouette: Placed, opening: float
    ) -> Prepared | Failure:
        """`opening`: seconds that its share of reading the mask file took."""
        start = time.perf_counter() - opening
        own = _own_name(job, mask)
        name += silhouette.suffix.lstrip("_")
        if silhouette.mask is None or silhouette.placement is None:
            return Failure(object=name, mask_name=own, reason=silhouette.reason, of_mask=True)
        placement = silhouette.placement
        stem = f"{job.stem}{'_' * bool(name)}{name}{job.variation_suffix}"
        if _is_too_long(stem):
            reason = "the name is too long for outputs; rename the mask"
            return Failure(object=name, mask_name=own, reason=reason)
        pose = self._poses.get(mask.name)
        look = None
        if job.appearance is None and self._looks:
            look = self._looks(f"{mask.name}{silhouette.suffix}", job.variation)
        try:
            if self._frames:
                _check_inside(placement)
                if self._annotated and job.background:
                    size = placement.source_size
                    self._annotated.check(job.background.name, size, "the mask is")
                if pose:
                    pose.check_size(placement.source_size)
            elif pose:
                pose = pose.placed(placement)
            shown_as = job.appearance or look
            appearance = self._appearance(shown_as) if shown_as else None
            background = self._background(job.background, placement) if job.background else None
            return Prepared(
                job=job,
                object=name,
                stem=stem,
                mask=silhouette.mask,
                placement=placement,
                mask_name=own,
                look=look.name if look else None,
                appearance=appearance.image if appearance else None,
                background=background.image if background else None,
                conditions_key=b"".join(c.key for c in (appearance, background) if c),
                pose=pose,
                viewpoint=self._viewpoint(mask),
                notes=silhouette.notes,
                unclear_share=silhouette.unclear_share,
                seconds=time.perf_counter() - start,
            )
        except PoseGenError as error:
            return Failure(object=name, mask_name=own, reason=_reason(error, mask))

    def _viewpoint(self, mask: Source) -> Three | None:
        return None if self._viewpoints is None else self._viewpoints.get(mask.name, UNKNOWN)

    def _silhouettes(self, source: Source) -> list[Placed]:
        """Read and placed once, though a mask may have many variations."""
        return self._masks.get_or_make(
            source.name,
            lambda: [self._place(one) for one in self._reading.silhouettes(source.path)],
        )

    def _place(self, silhouette: Silhouette) -> Placed:
        notes = ["unclear"] if silhouette.unclear_share > UNCLEAR else []
        notes += ["mostly white"] if silhouette.white_share > MOSTLY_WHITE else []
        try:
            placement = place(silhouette.mask, self._size, self._fit)
            mask = placement.mask(silhouette.mask)
        except PoseGenError as error:
            return Placed(silhouette.name_suffix, reason=str(error))
        notes += [f"outside: {name}" for name in outside(mask, self._mask_range)]
        return Placed(silhouette.name_suffix, mask, placement, notes, silhouette.unclear_share)

    def _appearance(self, source: Source) -> Keyed:
        return self._appearances.get_or_make(
            source.path, lambda: _keyed(read_resized_rgb(source.path, self._size))
        )

    def _background(self, source: Source, placement: Placement) -> Keyed:
        if self._frames:
            frame = self._frames.background(source, placement.source_size)
            return _keyed(placement.background(frame))
        shape = self._shapes.get(source.path)
        if shape is None:
            decoded = self._decode(source.path)
            shape = self._shapes[source.path] = (decoded.shape[0], decoded.shape[1])
        # One of the mask's own size is cut as the mask is; any other always the same way.
        key = source.path, placement.window if shape == placement.source_size else None
        return self._backgrounds.get_or_make(
            key, lambda: _keyed(placement.background(self._decode(source.path)))
        )

    def _decode(self, path: Path) -> Image:
        return self._decoded.get_or_make(path, lambda: read_rgb(path))


def _own_name(job: Job, mask: Source) -> str:
    """See `Prepared.mask_name`."""
    return "" if mask.name == job.mask.name else mask.name


def _check_inside(placement: Placement) -> None:
    """What the frame lacks of a crop is its reflection there, which must not be most of it."""
    x0, y0, x1, y1 = placement.window
    height, width = placement.source_size
    if x1 - x0 > MOST_PADDED * width or y1 - y0 > MOST_PADDED * height:
        raise PoseGenError(
            f"the crop around the object takes {x1 - x0}×{y1 - y0} pixels, more than twice its "
            f"frame of {width}×{height}; leave this mask out, or do without --paste"
        )


def _is_too_long(stem: str) -> bool:
    longest = max(len(os.fsencode(part)) for part in stem.split("/"))
    return longest > MAX_NAME or len(os.fsencode(stem)) > MAX_PATH or stem.count("/") > MAX_DEPTH


def _reason(error: PoseGenError, mask: Source) -> str:
    """Without the mask's name, which the row gives."""
    return str(error).removeprefix(f"{printable(str(mask.path))}: ").removeprefix(f"{mask.name}: ")


def _keyed(image: Image) -> Keyed:
    return Keyed(image, content_key([image]))


def _keyed_bytes(condition: Keyed) -> int:
    return condition.image.nbytes


def _bytes(image: Image) -> int:
    return image.nbytes


def _placed_bytes(placed: list[Placed]) -> int:
    return sum(p.mask.nbytes for p in placed if p.mask is not None)
