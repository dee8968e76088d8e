"""Which part of a data set an image belongs to."""

import bisect
import hashlib
import itertools

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
