"""What `posegen-export int8` reads: folders, or a data set as such folders."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from posegen.data.dataset import open_dataset
from posegen_runtime.bop import SCENE_CAMERA, SCENE_GT
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.poses import read_poses, write_poses

ENOUGH = 256
"""Samples of the validation split that need none of the training split beside them."""


@contextmanager
def inputs_of(
    data: Path | None, folders: dict[str, Path | None], bundle: Bundle
) -> Iterator[dict[str, Any]]:
    """The fields of `Sampling` that say where inputs lie: `folders`, or those of the data set
    `data`. The latter are gone afterwards.

    Raises `PoseGenError` unless one of the two is given, and when `data` is no data set.
    """
    named = [f"--{name}" for name, path in folders.items() if path is not None]
    if data is None:
        if folders["masks"] is None:
            raise PoseGenError("nothing to calibrate on: give --masks DIR, or --data DATASET")
        yield folders
    elif named:
        raise PoseGenError(f"--data {data}: brings its own {', '.join(named)}; leave one out")
    else:
        with _dataset_folders(data, bundle) as made:
            yield made


@contextmanager
def _dataset_folders(root: Path, bundle: Bundle) -> Iterator[dict[str, Any]]:
    """Folders of links to masks, what `bundle` takes beside them, and poses where there are some.

    They show the validation split, with the training split where that is small; the test split
    stays for an evaluation.
    """
    dataset = open_dataset(root)
    samples = dataset.samples("val")
    if len(samples) < ENOUGH:
        samples += dataset.samples("train")
    if not samples:
        raise PoseGenError(f"{root}: its splits val and train are empty; name --masks instead")
    with tempfile.TemporaryDirectory(prefix="posegen-int8-") as made:
        folders: dict[str, Any] = {"masks": Path(made) / "masks"}
        folders |= {name: Path(made) / name for name in bundle.conditions}
        for sample in samples:
            place = sample.photo.parent.parent.relative_to(root)
            for name, folder in folders.items():
                file = getattr(sample, "mask" if name == "masks" else name)
                (folder / place).mkdir(parents=True, exist_ok=True)
                os.symlink(file.resolve(), folder / place / file.name)
        scenes = sorted({sample.photo.parent.parent for sample in samples})
        poses = [
            msgspec.structs.replace(pose, mask=f"{scene.relative_to(root).as_posix()}/{name}")
            for scene in scenes
            if (scene / SCENE_GT).is_file() and (scene / SCENE_CAMERA).is_file()
            for name, pose in read_poses(scene).items()
        ]
        if poses:
            write_poses(Path(made) / "poses.jsonl", poses)
            folders["poses"] = Path(made) / "poses.jsonl"
        yield folders
