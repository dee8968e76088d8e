"""Photos with their masks: read, checked and placed, or dropped with the reason."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.photo_groups import ALL
from posegen_runtime.choices import Fit, MaskChannel
from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.geometry import Placement, place
from posegen_runtime.images import read_rgb
from posegen_runtime.masks import MaskReading, MaskValues, choose_reading
from posegen_runtime.masksample import look_at

Pixels = NDArray[np.uint8]
Progress = Callable[[str, int, int], None]
"""Gets what is being done, how much of it is done, and how much there is."""

MOST = 0.95
"""A mask that covers a larger share of the photo, or of what is cut out of it, leaves no scene."""


class Dropped(Exception):
    """Why a photo is not used: a few words, without its name."""


@dataclass(frozen=True)
class Usable:
    """A photo that passed. `photo` is its path below the photos' folder; `mask` is placed, uint8
    [S, S] in {0, 255}; `digest` tells equal pixels."""

    photo: Path
    mask_file: Path
    mask: Pixels
    placement: Placement
    appearance: Placement
    """The crop around the object, whatever the fit of the photo."""
    digest: bytes


class Masks(Protocol):
    """Where the masks of photos are."""

    def of(self, photo: Path) -> list[Path]:
        """The files that may be the mask of a photo, given by its path below the photos' folder.
        May raise `Dropped` where it is known why there is none."""
        ...


@dataclass(frozen=True)
class Checks:
    """Reads photos below `root`; `masks` is None where the photos' own alpha holds the masks."""

    root: Path
    masks: Masks | None
    reading: MaskReading
    size: int
    fit: Fit
    min_object: int

    def mask_of(self, photo: Path) -> Path:
        """Raises `Dropped` when there is no mask, or no telling which."""
        if self.masks is None:
            return self.root / photo
        found = self.masks.of(photo)
        if not found:
            raise Dropped("no mask of its name")
        if len(found) > 1:
            raise Dropped(f"several masks of its name: {found[0]}, {found[1]}")
        return found[0]

    def examine(self, photo: Path, mask_file: Path) -> Usable:
        """Raises `Dropped`."""
        try:
            rgb = read_rgb(self.root / photo)
        except PoseGenError as error:
            raise Dropped(_without(error, self.root / photo)) from None
        mask = self._read_mask(mask_file)
        height, width = rgb.shape[:2]
        if mask.shape != (height, width):
            raise Dropped(f"mask is {mask.shape[1]}×{mask.shape[0]}, the photo {width}×{height}")
        if cv2.countNonZero(mask) > MOST * mask.size:
            raise Dropped("mask covers the whole photo; is it inverted?")
        return self._placed(photo, mask_file, mask, hashlib.sha256(rgb.tobytes()).digest())

    def _read_mask(self, file: Path) -> Pixels:
        try:
            return self.reading.read(file)[0].mask
        except PoseGenError as error:
            if self.masks is None:
                raise Dropped("no alpha, and no --masks") from None
            raise Dropped(f"mask: {_without(error, file)}") from None

    def _placed(self, photo: Path, mask_file: Path, mask: Pixels, digest: bytes) -> Usable:
        target = self.size, self.size
        try:
            placement = place(mask, target, self.fit)
            placed = placement.mask(mask)
        except MaskRejected as error:
            raise Dropped(str(error)) from None
        # A crop can be enlarged, what is in it cannot.
        spans = [max(cv2.boundingRect(each)[2:]) for each in (mask, placed)]
        if min(spans) < self.min_object:
            raise Dropped(f"object is {min(spans)} px long; --min-object is {self.min_object}")
        if cv2.countNonZero(placed) > MOST * placed.size:
            raise Dropped("mask covers all of the image that is cut out; try --fit frame")
        return Usable(photo, mask_file, placed, placement, place(mask, target, Fit.OBJECT), digest)


def check_photos(
    photos: Sequence[Path],
    checks: Checks,
    groups: dict[Path, str] | None,
    progress: Progress,
) -> tuple[dict[str, list[Usable]], list[tuple[Path, str]]]:
    """What can be used, by group, and what is dropped, in the order of `photos`.

    Raises `PoseGenError` when nothing is left.
    """
    usable: dict[str, list[Usable]] = {}
    dropped: list[tuple[Path, str]] = []
    claims: Counter[Path] = Counter()
    seen: dict[bytes, Path] = {}
    masks: dict[Path, Path] = {}
    for photo in photos:
        try:
            masks[photo] = checks.mask_of(photo)
            claims[masks[photo]] += 1
        except Dropped as reason:
            dropped.append((photo, str(reason)))
    for number, (photo, mask) in enumerate(masks.items()):
        progress("reading", number, len(masks))
        try:
            if claims[mask] > 1:
                raise Dropped(f"its mask fits {claims[mask]} photos: {mask}")
            if groups is not None and photo not in groups:
                raise Dropped("not in --groups")
            found = checks.examine(photo, mask)
            if found.digest in seen:
                raise Dropped(f"the same picture as another: {seen[found.digest]}")
        except Dropped as reason:
            dropped.append((photo, str(reason)))
            continue
        seen[found.digest] = photo
        usable.setdefault(ALL if groups is None else groups[photo], []).append(found)
    order = {photo: number for number, photo in enumerate(photos)}
    dropped.sort(key=lambda each: order[each[0]])
    if not usable:
        first, why = dropped[0]
        raise PoseGenError(
            f"{checks.root}: none of the {len(photos)} photos can be used; "
            f"the first, {first}: {why}"
        )
    return usable, dropped


def read_masks_as(files: Sequence[Path], values: str, channel: MaskChannel) -> MaskReading:
    """`choose_reading`, for one object a photo. Raises `PoseGenError` for `each`."""
    reading = choose_reading(files, values, channel, several=False)
    if reading.values is MaskValues.EACH:
        raise PoseGenError("--mask-values each: a photo has one object here; give the object's id")
    return reading


def read_alpha_as(root: Path, photos: Sequence[Path], values: str) -> MaskReading:
    """`read_masks_as` of photos that are cut-outs. Raises `PoseGenError` when none is."""
    if not any(file.has_alpha for file in look_at(photos)):
        raise PoseGenError(f"{root}: its photos have no alpha; give --masks, or PNG cut-outs")
    return read_masks_as(photos, values, MaskChannel.ALPHA)


def cut(image: Pixels, placement: Placement) -> tuple[Pixels, Pixels]:
    """The placement's window of an RGB image uint8 [H, W, 3], and where it lies outside the frame:
    uint8 [S, S, 3] and [S, S] in {0, 255}. What lies outside is reflected."""
    frame = np.full(placement.source_size, 255, np.uint8)
    outside = cv2.bitwise_not(placement.mask(frame))
    return placement.background(image), np.asarray(outside, np.uint8)


def _without(error: PoseGenError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
