"""One run at a time in one output directory."""

import warnings
from pathlib import Path
from types import TracebackType

from filelock import FileLock, SoftFileLock, Timeout

from posegen_runtime.errors import PoseGenError

LOCK = ".lock"


class OutputLock:
    """Holds `out` for this process until `release`; the system frees it when the process dies.

    `out` is made if it is not there. The file stays behind: to remove it would let two runs hold
    two files of the same name.

    Raises `PoseGenError` at once where another process holds it, and where it cannot be held.
    """

    def __init__(self, out: Path) -> None:
        file = out / LOCK
        self._lock = FileLock(file, timeout=0, thread_local=False)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PoseGenError(
                f"--out {out}: cannot be made ({error.strerror or error}); name a folder that can "
                "be written"
            ) from error
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what it warns of is refused below
                self._lock.acquire()
        except Timeout as error:
            raise PoseGenError(
                f"{out}: another run works on it; wait until it ends, or name another --out"
            ) from error
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PoseGenError(
                f"{file}: cannot be locked ({reason}); name an --out that can be written, "
                "on a disk with file locks"
            ) from error
        if isinstance(self._lock, SoftFileLock):
            # It would outlive a killed run, and SQLite needs true locks as well.
            self._lock.release()
            raise PoseGenError(
                f"{file}: this file system has no file locks; name an --out on another disk"
            )

    def release(self) -> None:
        """Let others in. May be called twice."""
        self._lock.release()

    def __enter__(self) -> "OutputLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
