"""One tar of a data set, written beside its final name, and its statistics."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic
from posegen_runtime.sinks.samples import ending, shard_name

SCHEMA = 1


class ShardStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """`shard-000000.json`, beside the tar."""

    schema: int = SCHEMA
    tar: str | None
    """The tar's name in the same folder; None where none of the jobs gave an image."""
    bytes: int
    sha256: str | None
    images: int
    """Samples in the tar."""
    first_job: int
    last_job: int
    job_step: int = 1
    """Jobs `first_job`, `first_job` + `job_step`, … `last_job`."""
    states: dict[str, int]
    """Rows of the ledger by state."""


def statistics_file(tar: Path) -> Path:
    return tar.with_suffix(".json")


def write_statistics(tar: Path, statistics: ShardStatistics) -> None:
    text = msgspec.json.format(msgspec.json.encode(statistics), indent=2)
    write_atomic(statistics_file(tar), text + b"\n")


class Shard:
    """A tar under a hidden name until `commit`, which replaces the one that was there.

    Every method raises `PoseGenError` naming the tar when it cannot be written; its ``__cause__``
    is the `OSError`.
    """

    def __init__(self, out: Path, number: int) -> None:
        self.path = out / shard_name(number)
        self.number = number
        self.images = 0
        self.bytes = 0
        # A machine that was taken for lost may still be writing the same tar.
        self._partial = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()

    def append(self, sample: bytes) -> None:
        """Add one sample: whole members of a tar."""
        with self._explained():
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._partial.open("wb")
            self._write(self._file, sample)
        self.images += 1

    def commit(self) -> str | None:
        """Put the tar under its final name and give its sha256; without a sample there is none."""
        with self._explained():
            if self._file is None:
                self.path.unlink(missing_ok=True)
                self.path.parent.mkdir(parents=True, exist_ok=True)
                return None
            self._write(self._file, ending(self.bytes))
            self._file.close()
            os.replace(self._partial, self.path)
        return self._digest.hexdigest()

    def drop(self) -> None:
        """Leave nothing of it."""
        with suppress(OSError):  # of a full disk, too: what it could not write is not wanted
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)

    def _write(self, file: BinaryIO, data: bytes) -> None:
        file.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PoseGenError(
                f"{self.path}: cannot be written ({error.strerror or error}); "
                "free space or name another folder"
            ) from error
