"""The output directory: whose it is, and what may be removed from it."""

import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError

MANIFEST = "manifest.jsonl"
RUN = "run.json"
PREVIEW = "preview.png"
FOLDERS = ("images", "masks", "labels")
FILES = (MANIFEST, RUN, PREVIEW)


def claim(out: Path, overwrite: bool) -> None:
    """Make `out` an empty directory that can be written.

    Raises `PoseGenError` when it cannot be made or written, and when it holds anything. With
    `overwrite`, what an earlier run listed in its manifest, its labels and its records are
    removed first; a directory that holds anything else is refused and nothing is removed.
    """
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
            f"--out {out}: holds the output of another run; name a new directory, "
            "or replace it with --overwrite"
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
    mine = _listed(out)
    for folder, _, files in os.walk(out):
        for file in files:
            path = Path(folder, file)
            if path not in mine and not _is_label(path.relative_to(out)):
                raise PoseGenError(
                    f"--out {out}: {path.relative_to(out)} was not written by a run; nothing was "
                    "removed, name a new directory"
                )
    try:
        for folder_name in FOLDERS:
            if (out / folder_name).is_dir():
                shutil.rmtree(out / folder_name)
        for path in mine:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise PoseGenError(
            f"--out {out}: cannot be replaced ({error.strerror or error})"
        ) from error


def _listed(out: Path) -> set[Path]:
    """Files that the earlier run's manifest names, and its records."""
    listed = {out / name for name in FILES}
    try:
        lines = (out / MANIFEST).read_text().splitlines() if (out / MANIFEST).exists() else []
        for line in lines:
            row = msgspec.json.decode(line)
            listed.update(out / row[key] for key in ("image", "mask_file") if row.get(key))
    except (OSError, ValueError, AttributeError) as error:
        raise PoseGenError(f"--out {out}: {MANIFEST} is damaged; name a new directory") from error
    return listed


def _is_label(relative: Path) -> bool:
    """Whether a path is one that a run writes below `labels/`, or was left there by a kill."""
    text = relative.as_posix()
    if relative.name.startswith(".") and relative.name.endswith(".part"):
        return text.split("/")[0] in FOLDERS
    return text in (
        "labels/poses.jsonl",
        "labels/yolo/data.yaml",
        "labels/yolo/train.txt",
        "labels/coco/instances.json",
    ) or (text.startswith("labels/yolo/labels/") and relative.suffix == ".txt")
