"""Which part of a data set an image belongs to."""

import bisect
import hashlib
import itertools
from collections.abc import Sequence

import msgspec

from posegen_runtime.ledger.entries import ImageRow

NAMES = ("train", "val", "test")


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of train, val and test, drawn by the masks' names.

    Each name is drawn for itself, so other masks, their order or a part of a run (`--shard`) move
    none of them, and the shares come out as those of coins do.
    """

    shares: tuple[float, ...]
    seed: int

    @property
    def parts(self) -> tuple[str, ...]:
        return NAMES[: len(self.shares)]

    def of(self, row: ImageRow) -> str:
        """The part of an image that is done: all images of one mask, and all objects of one frame,
        share it."""
        pose = row.data.pose
        # In a frame that shows several masks, one of them may have no pose that names it.
        frame = row.mask if row.data.mask else pose and pose.frame
        return self.of_name(f"frame\0{frame}" if frame else f"mask\0{row.mask}")

    def of_name(self, name: str) -> str:
        digest = hashlib.sha256(f"split\0{self.seed}\0{name}".encode()).digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64
        ends = list(itertools.accumulate(self.shares))[:-1]
        return self.parts[bisect.bisect(ends, drawn)]


class PartCounts:
    """Notices parts that no image falls to."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._images = dict.fromkeys(parts, 0)
        self._masks = 0

    def add(self, row: ImageRow, part: str) -> None:
        """The next image, by the first of its rows."""
        self._images[part] += 1
        self._masks += row.variation == 0

    def lines(self) -> list[str]:
        """One line for each part that stayed empty, where there are images at all."""
        images = sum(self._images.values())
        return [
            f"--split: {part} is empty: none of the {images} images, of {self._masks} masks or "
            "frames, falls to it; give more masks, another share or another --seed"
            for part, count in self._images.items()
            if images and not count
        ]
