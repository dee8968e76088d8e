"""Output directories and the files in them."""

import hashlib
from pathlib import Path

from posegen_runtime.errors import PoseGenError


def claim_directory(out: Path) -> None:
    """Make sure that `out` is an empty directory.

    Raises:
        PoseGenError: it holds something, or cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        occupied = any(out.iterdir())
    except OSError as error:
        raise PoseGenError(f"{out}: cannot be used for output: {error.strerror}") from None
    if occupied:
        raise PoseGenError(f"{out}: not empty; name a new directory or empty this one first")


def make_directory(path: Path) -> None:
    """Make a directory and its parents. Raises `PoseGenError` naming it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PoseGenError(f"{path}: cannot be made ({error.strerror})") from None


def write_hashed(root: Path, name: str, content: bytes, hashes: dict[str, str]) -> None:
    """Write a file below `root` and note its SHA-256."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    hashes[name] = hashlib.sha256(content).hexdigest()
