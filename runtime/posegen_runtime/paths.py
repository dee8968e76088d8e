"""Files in and out: listing images, reading bytes, writing so that no half file is ever seen."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from posegen_runtime.errors import PoseGenError

MAX_BYTES = 2**31
"""Larger files are not read: the largest image has 150 megapixels of at most 8 bytes."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def list_images(directory: str | Path, option: str = "") -> list[Path]:
    """`image_names` as paths."""
    root = Path(directory)
    return [root / name for name in image_names(root, option)]


def image_names(root: Path, option: str = "") -> list[str]:
    """All images in a folder and its subfolders by their path relative to it, with "/", sorted.

    Hidden files and folders are skipped. Links to folders are followed, each real folder once, so
    a loop of links ends. `option` (such as ``--masks``) opens the error message.

    Raises `PoseGenError` when the folder is missing, unreadable, no folder, or holds no image.
    """
    name = f"{option} {root}".strip()
    if not os.path.exists(root):  # pathlib raises where a parent is closed to us
        raise PoseGenError(f"{name}: no such folder")
    if not os.path.isdir(root):
        raise PoseGenError(f"{name}: is a file; name the folder that holds the images")
    found = [
        path.relative_to(root).as_posix()
        for path in files_below(root)
        if path.name.lower().endswith(IMAGE_SUFFIXES)
    ]
    if not found:
        raise PoseGenError(f"{name}: no images found (looked for {', '.join(IMAGE_SUFFIXES)})")
    return sorted(found)


def files_below(root: Path, links: bool = True) -> Iterator[Path]:
    """Everything below `root` that is no folder, hidden ones left out; see `list_images`.

    Without `links`, a link to a folder is left out too: a stranger's may lead anywhere. Raises
    `PoseGenError` naming a folder that cannot be listed.
    """
    visited: set[tuple[int, int]] = set()
    waiting = [str(root)]
    while waiting:  # os.walk calls itself, too often for folders nested a thousand deep
        folder = waiting.pop()
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            subfolders, files = _listing(folder, links)
        except OSError as error:
            raise PoseGenError(f"{folder}: cannot be listed ({error.strerror})") from error
        waiting += sorted(subfolders, reverse=True)
        yield from map(Path, files)


def read_bytes(path: str | Path, limit: int = MAX_BYTES) -> bytes:
    """The whole of a regular file of at most `limit` bytes. Raises `PoseGenError` naming it."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise PoseGenError(
                f"{path}: {size / 1e6:,.0f} MB are more than the {limit / 1e6:,.0f} MB read here"
            )
        try:
            return file.read()
        except MemoryError as error:
            raise PoseGenError(f"{path}: {size / 1e6:,.0f} MB do not fit in memory") from error


@contextmanager
def open_regular(path: str | Path) -> Iterator[FileIO]:
    """A regular file, open for reading. What fails while it is open is a `PoseGenError` too."""
    try:
        # Looked at before, because to open a device may do something, and after, because another
        # may have taken its place.
        _expect_regular(path, os.stat(path))
        with open(path, "rb", buffering=0, opener=_open_at_once) as file:
            _expect_regular(path, os.fstat(file.fileno()))
            yield file
    except OSError as error:
        raise PoseGenError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:  # a NUL in the name
        raise PoseGenError(f"{path}: cannot be read ({error})") from error


def _expect_regular(path: str | Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PoseGenError(f"{path}: is no regular file but a folder, pipe or device")


def write_atomic(path: str | Path, data: bytes | memoryview, fsync: bool = False) -> None:
    """Write beside the final name, then rename: a file is seen whole or not at all.

    The temporary name is hidden, so that `list_images` never takes what a kill left behind, and
    short, so that any name that a file may have can be written.
    `fsync` waits until the disk holds the bytes, for files that must outlive a power cut.
    Raises `PoseGenError` naming the file; its ``__cause__`` is the `OSError` (a full disk, say).
    """
    final = os.fspath(path)  # pathlib takes longer than the system calls, and images are many
    beside = os.path.join(os.path.dirname(final), f".{secrets.token_hex(8)}.part")
    try:
        try:
            with open(beside, "wb", buffering=0) as file:
                _write_all(file, data)
                if fsync:
                    os.fsync(file.fileno())
            os.replace(beside, final)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(beside)
            raise
    except OSError as error:
        raise PoseGenError(
            f"{final}: cannot be written ({error.strerror or error}); "
            "free space or name another folder"
        ) from error


def _write_all(file: FileIO, data: bytes | memoryview) -> None:
    """The system may take a part of it at a time: 2 GB, or what is left on a disk."""
    left = memoryview(data).cast("B")
    while left:
        left = left[file.write(left) :]


def _listing(folder: str, links: bool) -> tuple[list[str], list[str]]:
    """Paths of the folders, and of everything else, that are not hidden. A link to a folder is one;
    one that leads nowhere is a file, so that it is missed when it is read."""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:  # links that go round
                is_folder = False
            if links or not (is_folder and entry.is_symlink()):
                (folders if is_folder else files).append(entry.path)
    return folders, files


def _open_at_once(path: str, flags: int) -> int:
    """A named pipe that took the file's place since it was looked at would block for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
