"""What `posegen-export int8` reads: folders, or a data set as such folders."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from posegen.data.dataset import Dataset, Sample, open_dataset
from posegen_runtime.bop import SCENE_CAMERA, SCENE_GT
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.poses import read_poses, write_poses

ENOUGH = 256
"""Samples of the validation split that need none of the training split beside them."""


@dataclass(frozen=True)
class Given:
    """Where inputs lie."""

    folders: dict[str, Any]
    """The fields of `Sampling` that say so."""
    source: str = ""
    """Such as "500 samples of val of NAME"; empty for folders that the user named."""


@contextmanager
def inputs_of(
    data: Path | None, folders: dict[str, Path | None], bundle: Bundle
) -> Iterator[Given]:
    """`folders`, or those of the data set `data`, which are gone afterwards.

    Raises `PoseGenError` unless one of the two is given, and when `data` is no whole data set.
    """
    named = [f"--{name}" for name, path in folders.items() if path is not None]
    if data is None:
        if folders["masks"] is None:
            raise PoseGenError("nothing to calibrate on: give --masks DIR, or --data DATASET")
        yield Given(folders)
    elif named:
        raise PoseGenError(f"--data {data}: brings its own {', '.join(named)}; leave one out")
    else:
        dataset = open_dataset(data)
        samples, splits = _samples(dataset)
        _check_files(data, samples, bundle)
        source = f"{len(samples)} samples of {splits} of {dataset.description.name}"
        with _links(data, samples, bundle) as made:
            yield Given(made, source)


def _samples(dataset: Dataset) -> tuple[list[Sample], str]:
    """Those of the validation split, with the training split where that is small, and their names;
    the test split stays for an evaluation."""
    splits = {"val": dataset.samples("val")}
    if len(splits["val"]) < ENOUGH:
        splits["train"] = dataset.samples("train")
    samples = [sample for split in splits.values() for sample in split]
    if not samples:
        raise PoseGenError(
            f"{dataset.root}: its splits val and train are empty; name --masks instead"
        )
    return samples, " and ".join(name for name, split in splits.items() if split)


def _files(sample: Sample, bundle: Bundle) -> dict[str, Path]:
    """What `bundle` takes of a sample, by option."""
    return {"masks": sample.mask, **{name: getattr(sample, name) for name in bundle.conditions}}


def _check_files(root: Path, samples: list[Sample], bundle: Bundle) -> None:
    files = {file for sample in samples for file in _files(sample, bundle).values()}
    missing = sorted(file for file in files if not file.is_file())
    if missing:
        more = len(missing) - 1
        others = f" and so {'are' if more > 1 else 'is'} {more} more file{'s' * (more > 1)}"
        raise PoseGenError(
            f"{missing[0]}: is missing{others if more else ''}; copy or make the data set {root} "
            "again"
        )


@contextmanager
def _links(root: Path, samples: list[Sample], bundle: Bundle) -> Iterator[dict[str, Any]]:
    """Folders of links to what `bundle` takes of samples, and their poses where there are some."""
    with tempfile.TemporaryDirectory(prefix="posegen-int8-") as made:
        folders: dict[str, Any] = {
            name: Path(made) / name for name in ("masks", *bundle.conditions)
        }
        for sample in samples:
            place = sample.photo.parent.parent.relative_to(root)
            for name, file in _files(sample, bundle).items():
                folder = folders[name]
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
