"""Files appear under their final name only when they are whole."""

import os
from pathlib import Path

from posegen_runtime.errors import PoseGenError


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside `path`, flush to the disk, rename. Raises `PoseGenError` when that fails."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise PoseGenError(
            f"{path}: cannot be written ({error.strerror}); free space or name another folder"
        ) from error
