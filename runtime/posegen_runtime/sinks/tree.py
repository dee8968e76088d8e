"""The output directory: whose it is, and what may be removed from it."""

import os
import shutil
import tempfile
from pathlib import Path

from posegen_runtime.errors import PoseGenError

MANIFEST = "manifest.jsonl"
RUN = "run.json"
PREVIEW = "preview.png"
FOLDERS = ("images", "masks", "labels")
FILES = (MANIFEST, PREVIEW, RUN)
PARTIAL = tuple(f".{name}." for name in FILES)
"""How the temporary names of `FILES` begin."""
IMAGE_SUFFIXES = (".png", ".jpg")
LABELS = (
    "labels/poses.jsonl",
    "labels/yolo/data.yaml",
    "labels/yolo/train.txt",
    "labels/coco/instances.json",
)
YOLO_LINK = "labels/yolo/images"


def claim(out: Path, overwrite: bool) -> None:
    """Make `out` an empty directory that can be written.

    Raises `PoseGenError` when it cannot be made or written, and when it holds anything. With
    `overwrite`, what an earlier run wrote is removed first, however that run ended; a directory
    that holds anything else is refused and nothing is removed.
    """
    if out.is_file():
        raise PoseGenError(f"--out {out}: it is a file; name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise PoseGenError(f"--out {out}: cannot be written ({error.strerror or error})") from error
    held = sorted(entry.name for entry in out.iterdir())
    if not held:
        return
    if RUN not in held:
        raise PoseGenError(f"--out {out}: is not empty (it holds {held[0]}); name a new directory")
    if not overwrite:
        raise PoseGenError(
            f"--out {out}: holds the output of another run; add --overwrite to replace it, "
            "or name a new directory with --out"
        )
    _remove_run(out)


def make_parent(file: Path) -> None:
    """Make the folder that a file goes into. Raises `PoseGenError` when it cannot be made."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise PoseGenError(f"{file.parent}: cannot be made ({reason})") from error


def _remove_run(out: Path) -> None:
    try:
        _refuse_foreign(out)
        for folder in FOLDERS:
            if (out / folder).is_dir():
                shutil.rmtree(out / folder)
        for partial in out.glob(".*.part"):
            partial.unlink()
        for file in FILES:  # run.json last: with it, what is left can still be replaced
            (out / file).unlink(missing_ok=True)
    except OSError as error:
        raise PoseGenError(
            f"--out {out}: cannot be replaced ({error.strerror or error})"
        ) from error


def _refuse_foreign(out: Path) -> None:
    """Raise `PoseGenError` naming the first file that no run writes at its place."""
    for folder, subfolders, files in os.walk(out, onerror=_raise):
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        for name in sorted(files + links):
            relative = Path(folder, name).relative_to(out)
            if not _is_a_runs(out, relative):
                raise PoseGenError(
                    f"--out {out}: {relative} was not written by a run; nothing was removed, "
                    "name a new directory"
                )


def _is_a_runs(out: Path, relative: Path) -> bool:
    """Whether a run writes a file of this name at this place.

    Judged by names and not by the manifest, which lacks a line for what was in flight when a run
    was killed, and its last line when the disk was full.
    """
    text = relative.as_posix()
    top, _, below = text.partition("/")
    if relative.name.startswith(".") and relative.name.endswith(".part"):
        return top in FOLDERS if below else text.startswith(PARTIAL)
    if (out / relative).is_symlink():
        return text == YOLO_LINK
    if top == "images" and below:
        # The mask is written before its image.
        twin = (out / "masks" / below).with_suffix(".png")
        return relative.suffix in IMAGE_SUFFIXES and twin.is_file()
    if top == "masks" and below:
        return relative.suffix == ".png"
    if text.startswith("labels/yolo/labels/"):
        return relative.suffix == ".txt"
    return text in FILES or text in LABELS


def _raise(error: OSError) -> None:
    raise error
