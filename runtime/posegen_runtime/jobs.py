"""What a run will make: one job for each image, named and paired before anything is read.

A job is (mask, appearance, background, variation). What is paired with a mask follows from the
seed and the names, so neither the order of the files nor other masks change it.
"""

import hashlib
import math
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError, printable
from posegen_runtime.paths import images_at

_OUTPUT_SUFFIX = re.compile(r"\.(png|jpg|txt)(?=/|$)", re.IGNORECASE)


class Source(msgspec.Struct, frozen=True):
    """One input image. `name` is its path below the directory that the user named, with "/"."""

    path: Path
    name: str


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


def find_images(path: Path, option: str) -> list[Source]:
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
    root = path.parent if os.path.isfile(path) else path
    files = {file.relative_to(root).as_posix(): file for file in images_at(path, option)}
    odd = [name for name in files if printable(name) != name]
    for name in odd:
        shown = printable(name)
        while shown in files:
            stem, dot, suffix = shown.rpartition(".")
            shown = f"{stem}%{dot}{suffix}"
        files[shown] = files.pop(name)
    return [Source(files[name], name) for name in (sorted(files) if odd else files)]


def plan(
    masks: Sequence[Source],
    appearances: Sequence[Source],
    backgrounds: Sequence[Source],
    per_mask: int,
    seed: int,
) -> Iterator[Job]:
    """`per_mask` jobs for each mask, lazily. An empty sequence of conditions means: none."""
    stems = output_stems([mask.name for mask in masks])
    digits = len(str(per_mask - 1))
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
            )


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


def output_stems(names: Sequence[str]) -> dict[str, str]:
    """Input name to output name without suffix, where no two outputs are the same file.

    `a/b.png` becomes `a/b`. Where other inputs would take that name too (`a/b.jpg`, or `A/b.png`
    on a file system that ignores case), each keeps its suffix as a part of the name (`a/b_jpg`).
    A folder's name never ends as an output's does: `a.png/b.png` becomes `a_png/b`.
    """
    plain = {name: _stem(name) for name in names}
    wanted = Counter(_folded(stem) for stem in plain.values())
    taken = {folded for folded, count in wanted.items() if count == 1}
    stems = {}
    for name in sorted(names):
        stem = plain[name]
        if wanted[_folded(stem)] > 1:
            stem = f"{stem}_{name.rpartition('.')[2]}"
            while _folded(stem) in taken:
                stem += "_"
            taken.add(_folded(stem))
        stems[name] = stem
    return stems


def _stem(name: str) -> str:
    folder, slash, file = name.rpartition("/")
    return _OUTPUT_SUFFIX.sub(r"_\1", folder) + slash + (file.rpartition(".")[0] or file)


def _folded(stem: str) -> str:
    """The same for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", stem.casefold())
