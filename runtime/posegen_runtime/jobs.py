"""What a run will make: one job for each image, named and paired before anything is read.

A job is (mask, appearance, background, variation). What is paired with a mask follows from the
seed and the names, so neither the order of the files nor other masks change it.
"""

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import image_names
from posegen_runtime.sources import FolderImages, Source
from posegen_runtime.stems import OutputStems


class Job(msgspec.Struct, frozen=True):
    """One image to make, or one for each object where a mask file holds several."""

    mask: Source
    stem: str
    """The mask file's name in the output, without suffix."""
    variation: int
    variation_suffix: str
    """Ends the output's name where a mask gives several images: "-v0"."""
    appearance: Source | None
    background: Source | None
    number: int = 0
    """Its place among the jobs of the run, from 0."""


def find_images(path: Path, option: str) -> FolderImages:
    """The images in the folder `path`, nested ones too, sorted by name; or `path`, if a file.

    Manifest and labels are lines of UTF-8. A file whose name could not stand there is known by
    another one (`errors.printable`): ``caf%E9.png``.

    Raises `PoseGenError` when `path` does not exist or holds no image, and when its own name is not
    UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise PoseGenError(f"{option} {path}: the name is not UTF-8; rename it") from error
    single = os.path.isfile(path)
    return FolderImages(
        path.parent if single else path, [path.name] if single else image_names(path, option)
    )


def plan(
    masks: Sequence[Source],
    appearances: Sequence[Source],
    backgrounds: Sequence[Source],
    per_mask: int,
    seed: int,
) -> Iterator[Job]:
    """`per_mask` jobs for each mask, lazily. An empty sequence of conditions means: none."""
    stems = OutputStems(masks)
    digits = len(str(per_mask - 1))
    number = 0
    for mask in masks:
        for variation in range(per_mask):
            first, second = draw(
                mask.name, variation, (len(appearances), len(backgrounds)), seed=seed
            )
            yield Job(
                mask=mask,
                stem=stems[mask.name],
                variation=variation,
                variation_suffix="" if per_mask == 1 else f"-v{variation:0{digits}}",
                appearance=appearances[first] if appearances else None,
                background=backgrounds[second] if backgrounds else None,
                number=number,
            )
            number += 1


class Looks(msgspec.Struct, frozen=True):
    """Draws an appearance for each object of a frame."""

    appearances: Sequence[Source]
    seed: int

    def __call__(self, name: str, variation: int) -> Source | None:
        """Of the object `name`, which no other object of the run has."""
        if not self.appearances:
            return None
        index, _ = draw(name, variation, (len(self.appearances), 1), seed=self.seed)
        return self.appearances[index]


def distinct_pairs(appearances: Sequence[Source], backgrounds: Sequence[Source]) -> int:
    """How many different images one mask can give: the generator itself draws nothing."""
    return max(1, len(appearances)) * max(1, len(backgrounds))


def draw(mask: str, variation: int, counts: tuple[int, int], *, seed: int) -> tuple[int, int]:
    """Indices of the appearance and the background for one job.

    All pairs stand on a ring; a mask starts at a place and walks in steps that both follow from
    its name and the seed. The step shares no divisor with the length of the ring, so no pair
    comes twice before each came once.
    """
    across = max(1, counts[0])
    length = across * max(1, counts[1])
    digest = hashlib.sha256(f"{seed}\0{mask}".encode()).digest()
    start = int.from_bytes(digest[:8], "big") % length
    step = int.from_bytes(digest[8:16], "big") % length
    while math.gcd(step, length) != 1:
        step += 1
    place = (start + variation * step) % length
    return place % across, place // across
