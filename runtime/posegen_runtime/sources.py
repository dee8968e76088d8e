"""Input images by name."""

import os
from array import array
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import overload

import msgspec

from posegen_runtime.errors import printable


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
