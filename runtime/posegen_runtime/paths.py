"""Files in and out: listing images, reading bytes, writing so that no half file is ever seen."""

import os
import secrets
import stat
from pathlib import Path

from posegen_runtime.errors import PoseGenError

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
    found: list[str] = []
    visited: set[tuple[int, int]] = set()
    for folder, subfolders, files in os.walk(root, onerror=_refuse_folder, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in visited:
            subfolders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(sub for sub in subfolders if not sub.startswith("."))
        below = Path(folder).relative_to(root).as_posix()
        start = "" if below == "." else f"{below}/"
        found += [
            start + file
            for file in files
            if not file.startswith(".") and file.lower().endswith(IMAGE_SUFFIXES)
        ]
    if not found:
        raise PoseGenError(f"{name}: no images found (looked for {', '.join(IMAGE_SUFFIXES)})")
    return sorted(found)


def images_at(path: str | Path, option: str = "") -> list[Path]:
    """One image file as a list, or all images of a folder (see `list_images`)."""
    return [Path(path)] if os.path.isfile(path) else list_images(path, option)


def read_bytes(path: str | Path) -> bytes:
    """The whole of a regular file. Raises `PoseGenError` naming it."""
    try:
        # A named pipe called x.png would block for ever.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise PoseGenError(f"{path}: is no regular file; name an image file")
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise PoseGenError(f"{path}: cannot be read ({error.strerror or error})") from error


def write_atomic(path: str | Path, data: bytes | memoryview, fsync: bool = False) -> None:
    """Write beside the final name, then rename: a file is seen whole or not at all.

    The temporary name is hidden, so that `list_images` never takes what a kill left behind, and
    short, so that any name that a file may have can be written.
    `fsync` waits until the disk holds the bytes, for files that must outlive a power cut.
    Raises `PoseGenError` naming the file; its ``__cause__`` is the `OSError` (a full disk, say).
    """
    final = Path(path)
    beside = final.with_name(f".{secrets.token_hex(8)}.part")
    try:
        try:
            with beside.open("wb") as file:
                file.write(data)
                if fsync:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(beside, final)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PoseGenError(
            f"{final}: cannot be written ({error.strerror or error}); "
            "free space or name another folder"
        ) from error


def _refuse_folder(error: OSError) -> None:
    raise PoseGenError(f"{error.filename}: cannot be listed ({error.strerror})") from error
