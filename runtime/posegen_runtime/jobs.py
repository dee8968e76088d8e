"""What a run will make: one job for each image, named and paired before anything is read.

A job is (mask, appearance, background, variation). What is paired with a mask follows from the
seed and the names, so neither the order of the files nor other masks change it.
"""

import hashlib
import math
import os
import re
import unicodedata
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import overload

import msgspec

from posegen_runtime.errors import PoseGenError, printable
from posegen_runtime.paths import image_names

_OUTPUT_SUFFIX = re.compile(r"\.(png|jpg|txt)(?=/|$)", re.IGNORECASE)


class Source(msgspec.Struct, frozen=True):
    """One input image. `name` is its path below the directory that the user named, with "/"."""

    path: Path
    name: str


class FolderImages(Sequence[Source]):
    """The images of one folder, put together when asked for, sorted by name.

    A run holds its inputs to its end, and there may be a million: their paths below `root` are
    kept as one text. A name that could stand in no line of UTF-8 is another one than the path.
    """

    def __init__(self, root: Path, paths: Sequence[str]) -> None:
        self.root = root
        odd = {path: printable(path) for path in paths if printable(path) != path}
        if odd:
            taken = set(paths)
            for path, shown in odd.items():
                while shown in taken:
                    stem, dot, suffix = shown.rpartition(".")
                    shown = f"{stem}%{dot}{suffix}"
                taken.add(shown)
                odd[path] = shown
            paths = sorted(paths, key=lambda path: odd.get(path, path))
        self._odd = {number: odd[path] for number, path in enumerate(paths) if path in odd}
        self._text = os.fsencode("".join(paths))
        self._ends = array("Q", accumulate(len(os.fsencode(path)) for path in paths))

    def odd(self) -> list[Source]:
        """Those whose name is another one than their path."""
        return [self[number] for number in self._odd]

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Source: ...
    @overload
    def __getitem__(self, index: slice) -> list[Source]: ...
    def __getitem__(self, index: int | slice) -> Source | list[Source]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        start = self._ends[number - 1] if number else 0
        path = os.fsdecode(self._text[start : self._ends[number]])
        return Source(self.root / path, self._odd.get(number, path))


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
    stems = output_stems([mask.name for mask in masks])
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
    stems = {name: _stem(name) for name in names}
    taken: set[str] = set()
    contested: set[str] = set()
    for stem in stems.values():
        folded = _folded(stem)
        folded = stem if folded == stem else folded  # one text in place of two
        (contested if folded in taken else taken).add(folded)
    taken -= contested
    if not contested:
        return stems
    for name in sorted(names):
        stem = stems[name]
        if _folded(stem) in contested:
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
