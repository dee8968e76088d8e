"""Files in the output by which machines find each other.

Their names are those of partial files, so the next run removes what a killed one left.
"""

import hashlib
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError

LOOKS = 1.0
"""Seconds between two looks at whether a lease still holds."""


class Lease(msgspec.Struct, frozen=True):
    """Whoever sees its file sees the same output folder as the run, and is still wanted there.

    The run makes the file and removes it when it wants no more. One that starts after a kill
    removes that of the killed one, so machines that have not heard of the kill stop, too.
    """

    out: Path
    token: str
    """16 hexadecimal digits, as `write_atomic` names its partial files."""

    @classmethod
    def take(cls, out: Path) -> "Lease":
        """Raises `PoseGenError` where `out` cannot be written."""
        lease = cls(out, secrets.token_hex(8))
        try:
            lease._file.touch()
        except OSError as error:
            raise lease._refused(error) from error
        return lease

    def holds(self) -> bool:
        """To open it asks a file server anew, where to look whether it is there may not."""
        try:
            with self._file.open("rb"):
                return True
        except OSError:
            return False

    def end(self) -> None:
        """All who see the folder stop soon. May be called twice."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def begin(self, shard: int) -> list[str]:
        """Who began this shard before, each as "HOST, process N"; only `over` forgets them.

        Raises `PoseGenError` where the folder cannot be written.
        """
        before: list[str] = []
        while True:
            try:
                with self._begun(shard, len(before)).open("x") as file:
                    file.write(f"{socket.gethostname()}, process {os.getpid()}")
                return before
            except FileExistsError:
                before.append(self._begun(shard, len(before)).read_text() or "unknown")
            except OSError as error:
                raise self._refused(error) from error

    def over(self, shard: int) -> None:
        """The shard needs no further begin."""
        with suppress(OSError):
            for number in count():
                self._begun(shard, number).unlink()

    @contextmanager
    def watched(self, stop: threading.Event) -> Iterator[None]:
        """Set `stop` when the lease no longer holds, until left."""
        left = threading.Event()

        def look() -> None:
            while not left.wait(LOOKS):
                if not self.holds():
                    stop.set()
                    return

        thread = threading.Thread(target=look, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()

    @property
    def _file(self) -> Path:
        return self.out / f".{self.token}.part"

    def _begun(self, shard: int, number: int) -> Path:
        name = hashlib.sha256(f"{self.token} {shard} {number}".encode()).hexdigest()[:16]
        return self.out / f".{name}.part"

    def _refused(self, error: OSError) -> PoseGenError:
        reason = error.strerror or os.strerror(error.errno or 0)
        return PoseGenError(f"--out {self.out}: cannot be written ({reason})")
