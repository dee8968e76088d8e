"""NumPy files of the experiment: seen whole or not at all, and named when they are damaged."""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic


def write_npz(file: Path, arrays: Mapping[str, Any]) -> None:
    content = io.BytesIO()
    np.savez(content, **arrays)
    _write(file, content)


def write_npy(file: Path, array: NDArray[np.generic]) -> None:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    _write(file, content)


def read_npz(file: Path, names: tuple[str, ...]) -> list[NDArray[np.generic]]:
    """The arrays of those names. Raises `PoseGenError` naming the file when it cannot be read."""
    with _named(file), np.load(file) as found:
        return [found[name] for name in names]


def read_npy(file: Path) -> NDArray[np.generic]:
    """Raises `PoseGenError` naming the file when it cannot be read."""
    with _named(file):
        return np.asarray(np.load(file))


def _write(file: Path, content: io.BytesIO) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, content.getbuffer(), fsync=True)


@contextmanager
def _named(file: Path) -> Iterator[None]:
    try:
        yield
    except (
        OSError,
        EOFError,
        ValueError,
        LookupError,  # an array that is not there
        TypeError,  # one array, where several were expected
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PoseGenError(f"{file}: unreadable ({reason}); remove it to make it again") from error
