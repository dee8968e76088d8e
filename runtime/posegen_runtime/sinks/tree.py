"""The output directory: whose it is, and what may be removed from it."""

import functools
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from posegen_runtime.errors import PoseGenError
from posegen_runtime.labels.splits import NAMES as PARTS
from posegen_runtime.ledger import LEDGER_FILES, LOCK
from posegen_runtime.ledger.database import LEDGER, NEW

MANIFEST = "manifest.jsonl"
RUN = "run.json"
PREVIEW = "preview.png"
REPORT = "report.html"
REPLAY = "replay.json"
REJECTED = "rejected"
FOLDERS = ("images", "masks", "labels", "shards", REJECTED)
FILES = (MANIFEST, PREVIEW, REPORT, REPLAY, RUN)
PARTIAL = re.compile(r"\.([0-9a-f]{16}|manifest\.jsonl)\.part")
"""The temporary names of `FILES`: those of `write_atomic`, and the manifest's while it grows."""
OBJECT = re.compile(r"_\d+(?=(-v\d+)?\.png$)|\.png$")
"""What a mask's file name has more than its image's, where that shows several objects."""
IMAGE_SUFFIXES = (".png", ".jpg")
LABELS = (
    "labels/poses.jsonl",
    "labels/yolo/data.yaml",
    *(f"labels/yolo/{part}.txt" for part in PARTS),
    "labels/coco/instances.json",
    *(f"labels/coco/instances_{part}.json" for part in PARTS),
)
DATA_SETS = re.compile(r"labels/\.?(?P<name>bop|kitti)(\.old)?(\.part)?/")
"""Under its final name, while it grows, and while another takes its place."""
IN_DATA_SET = {
    "bop": re.compile(
        r"(train|val|test)/\d{6}/((rgb|mask|mask_visib)/\d{6}(_\d{6})?\.(png|jpg)|scene_\w+\.json)"
        r"|camera\.json|models/(obj_\d{6}\.ply|models_info\.json)"
    ),
    "kitti": re.compile(
        r"training/(image_2/\d{6}\.(png|jpg)|(label_2|calib)/\d{6}\.txt)"
        r"|ImageSets/(train|val|test)\.txt"
    ),
}
YOLO_LINK = "labels/yolo/images"


def check_place(out: Path, fresh: bool) -> None:
    """Raise `PoseGenError` where `out` holds anything that no run wrote, before it is touched."""
    try:
        str(out.absolute()).encode()
    except UnicodeEncodeError as error:
        raise PoseGenError(f"--out {out}: the name is not UTF-8; name another folder") from error
    if out.is_file():
        raise PoseGenError(f"--out {out}: it is a file; name a folder")
    for parent in Path(os.path.realpath(out)).parents:
        if os.path.exists(parent / LEDGER):
            raise PoseGenError(
                f"--out {out}: lies inside the output of another run, {parent}; name another folder"
            )
    if not out.exists():
        return
    try:
        held = sorted(os.listdir(out))
    except OSError as error:
        raise PoseGenError(f"--out {out}: cannot be read ({error.strerror or error})") from error
    others = [name for name in held if name not in (LOCK, NEW)]
    if not others:  # at most what a run left that was killed before it began
        return
    if LEDGER not in held and RUN not in held:
        raise PoseGenError(
            f"--out {out}: is not empty (it holds {others[0]}); name a new directory"
        )
    if LEDGER not in held and not fresh:
        raise PoseGenError(
            f"--out {out}: holds the output of another run without its {LEDGER}; add --fresh to "
            "start over, or name a new directory"
        )


def claim(out: Path, fresh: bool, tell: Callable[[str], None]) -> bool:
    """Make `out`, whose lock the caller holds, ready for a run; whether one goes on there.

    With `fresh`, what an earlier run wrote is removed first, however that run ended, and `tell`
    gets a line on it. Raises `PoseGenError` when `out` holds anything that no run wrote.
    """
    check_place(out, fresh)
    earlier = (out / LEDGER).exists() or (out / RUN).exists()
    if earlier and fresh:
        _remove_run(out, tell)
    elif earlier:
        remove_partial(out)
    return earlier and not fresh


def remove_partial(out: Path, folders: Sequence[str] = FOLDERS) -> None:
    """Remove what a killed run left beside final names in these folders and in `out` itself.

    Raises `PoseGenError` where that may not be.
    """
    try:
        for folder in folders:
            for found, _, files in os.walk(out / folder):
                for name in files:
                    if name.startswith(".") and name.endswith(".part"):
                        Path(found, name).unlink(missing_ok=True)
        for path in out.iterdir():
            if PARTIAL.fullmatch(path.name):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise PoseGenError(
            f"{out}: cannot be written ({error.strerror or error}); check its permissions"
        ) from error


def make_parent(file: Path) -> None:
    """Make the folder that a file goes into. Raises `PoseGenError` when it cannot be made."""
    if file.parent.is_dir():
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise PoseGenError(f"{file.parent}: cannot be made ({reason})") from error


def _remove_run(out: Path, tell: Callable[[str], None]) -> None:
    try:
        tell(f"--fresh: deleting the {_count_files(out)} files of the earlier run in {out}")
        for file in LEDGER_FILES:  # first: it must not call images done that are gone
            (out / file).unlink(missing_ok=True)
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


def _count_files(out: Path) -> int:
    """Raises `PoseGenError` naming the first file that no run writes at its place."""
    count = 0
    _frames.cache_clear()
    for folder, subfolders, files in os.walk(out, onerror=_raise):
        links = [name for name in subfolders if Path(folder, name).is_symlink()]
        for name in sorted(files + links):
            relative = Path(folder, name).relative_to(out)
            if not _is_a_runs(out, relative):
                raise PoseGenError(
                    f"--out {out}: {relative} was not written by a run; nothing was removed, "
                    "name a new directory"
                )
            count += 1
    return count


def _is_a_runs(out: Path, relative: Path) -> bool:
    """Whether a run writes a file of this name at this place.

    Judged by names and not by the manifest, which lacks a line for what was in flight when a run
    was killed, and its last line when the disk was full.
    """
    text = relative.as_posix()
    top, _, below = text.partition("/")
    if relative.name.startswith(".") and relative.name.endswith(".part"):
        return top in FOLDERS if below else bool(PARTIAL.fullmatch(text)) or text == NEW
    if (out / relative).is_symlink():
        return text == YOLO_LINK
    if top == REJECTED and below:
        return _is_picture(out / REJECTED, relative.relative_to(REJECTED))
    if top in ("images", "masks") and below:
        return _is_picture(out, relative)
    if in_set := DATA_SETS.match(text):
        return bool(IN_DATA_SET[in_set["name"]].fullmatch(text[in_set.end() :]))
    if text.startswith("labels/yolo/labels/"):
        return relative.suffix == ".txt"
    if text.startswith("shards/shard-"):
        return relative.suffix in (".tar", ".json")
    return text in FILES or text in LABELS or text in (*LEDGER_FILES, LOCK)


def _is_picture(root: Path, relative: Path) -> bool:
    """Whether it is a mask in `masks/`, or in `images/` the image of one."""
    top, _, below = relative.as_posix().partition("/")
    if top == "masks":
        return bool(below) and relative.suffix == ".png"
    if top != "images" or not below or relative.suffix not in IMAGE_SUFFIXES:
        return False
    # The mask is written before its image, or those of the objects that it shows.
    twin = (root / "masks" / below).with_suffix(".png")
    return twin.is_file() or twin.stem in _frames(twin.parent)


@functools.lru_cache(maxsize=1)
def _frames(masks: Path) -> frozenset[str]:
    """Names without suffix of the images that masks in the folder `masks` show objects of."""
    names = os.listdir(masks) if masks.is_dir() else []
    return frozenset(OBJECT.sub("", name) for name in names if OBJECT.search(name))


def _raise(error: OSError) -> None:
    raise error
