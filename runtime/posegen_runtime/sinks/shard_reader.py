"""Reading single files out of shards, as the report's gallery does."""

import tarfile
from collections import OrderedDict
from pathlib import Path

from posegen_runtime.errors import PoseGenError
from posegen_runtime.sinks.samples import NAME

KEPT = 8
"""Shards whose table of contents is held, 3000 names each."""

Contents = dict[str, tuple[int, int]]
"""Where a member's bytes begin, and how many there are."""


class ShardReader:
    """Gives the bytes of what a ledger of a webdataset run names as `image` or `mask_file`."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._contents: OrderedDict[str, Contents] = OrderedDict()

    def __call__(self, name: str) -> bytes:
        """Raises `PoseGenError` where there is no such tar or member, or it cannot be read."""
        found = NAME.fullmatch(name)
        if found is None:
            raise PoseGenError(f"{name}: names nothing in a shard of {self._out}")
        tar, member = found.groups()
        try:
            start, size = self._table(tar)[member]
            with (self._out / tar).open("rb") as file:
                file.seek(start)
                return file.read(size)
        except KeyError as error:
            raise PoseGenError(f"{self._out / tar}: does not hold {member}") from error
        except (OSError, tarfile.TarError) as error:
            raise PoseGenError(f"{self._out / tar}: cannot be read ({error})") from error

    def _table(self, tar: str) -> Contents:
        if tar not in self._contents:
            with tarfile.open(self._out / tar, "r:") as file:
                self._contents[tar] = {info.name: (info.offset_data, info.size) for info in file}
            if len(self._contents) > KEPT:
                self._contents.popitem(last=False)
        self._contents.move_to_end(tar)
        return self._contents[tar]
