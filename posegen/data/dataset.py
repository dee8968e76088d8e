"""A rendered data set on disk: BOP scenes, one car each, with background and appearance beside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from posegen_runtime.bop import SCENE_GT
from posegen_runtime.errors import PoseGenError
from posegen_runtime.poses import Nine, Three, viewpoint
from posegen_runtime.records import read_record

UNKNOWN: Three = (0.0, 0.0, 0.0)
"""The viewpoint of a photo without a pose."""

SCHEMA = 1
DESCRIPTION = "dataset.json"


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`. `image_size` is (height, width) in pixels. `sha256` covers every file; it is
    recorded in checkpoints and compared there, not verified against the files. `scene_objects`
    names the object of a scene (SPLIT/SCENE), where several show the same one; a scene that it
    leaves out shows an object of its own."""

    schema: int
    name: str
    sha256: str
    image_size: tuple[int, int]
    splits: dict[str, int]
    licence: str = ""
    seed: int | None = None
    kind: str = ""
    version: str = ""
    scene_objects: dict[str, str] = {}

    def lineage(self, images: int) -> dict[str, Any]:
        """What a checkpoint keeps of the data set of which it saw so many images."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "licence": self.licence,
            "images": images,
        }


@dataclass(frozen=True)
class Sample:
    """Paths of one sample. `object_id` tells the split's objects apart, `scene` its scene folders:
    any appearance of the same scene may be shown with the sample.

    `viewpoint`: unit vector from the object towards the camera in the object's frame; zeros where
    the scene has no poses.
    """

    object_id: int
    scene: int
    photo: Path
    mask: Path
    background: Path
    appearance: Path
    viewpoint: Three = UNKNOWN


@dataclass(frozen=True)
class Dataset:
    """A data set folder whose description was read; images are read by `posegen.data.prepared`."""

    root: Path
    description: Description

    def samples(self, split: str) -> list[Sample]:
        """Samples of a split in a fixed order (scene, frame); empty when the split holds none.

        Raises `PoseGenError` when there are not as many as `dataset.json` says, or a scene's poses
        cannot be read.
        """
        scenes = sorted(path for path in (self.root / split).glob("*") if path.is_dir())
        viewpoints = {scene: _viewpoints(scene / SCENE_GT) for scene in scenes}
        shown = self.description.scene_objects
        names = [f"{split}/{scene.name}" for scene in scenes]
        labels = [shown.get(name, name) for name in names]
        numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
        found = [
            Sample(
                object_id=numbers[labels[number]],
                scene=number,
                photo=photo,
                mask=scene / "mask" / f"{photo.stem}_000000.png",
                background=scene / "background" / photo.name,
                appearance=scene / "appearance" / photo.name,
                viewpoint=viewpoints[scene].get(photo.stem, UNKNOWN),
            )
            for number, scene in enumerate(scenes)
            for photo in sorted((scene / "rgb").glob("*.png"))
        ]
        expected = self.description.splits.get(split, 0)
        if len(found) != expected:
            raise PoseGenError(
                f"{self.root / split}: {len(found)} photos found where {DESCRIPTION} says "
                f"{expected}; copy or render the data set again"
            )
        return found


def _viewpoints(file: Path) -> dict[str, Three]:
    """By the photo's name, for the one object of each; empty without a file of poses."""
    if not file.is_file():
        return {}
    try:
        frames = msgspec.json.decode(file.read_bytes(), type=dict[int, list[_Pose]])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PoseGenError(f"{file}: unreadable ({error}); render the data set again") from error
    return {
        f"{frame:06d}": viewpoint(
            np.reshape(poses[0].cam_R_m2c, (3, 3)), np.array(poses[0].cam_t_m2c)
        )
        for frame, poses in frames.items()
        if poses
    }


class _Pose(msgspec.Struct, frozen=True):
    cam_R_m2c: Nine
    cam_t_m2c: Three


def open_dataset(root: Path) -> Dataset:
    """Read `dataset.json`; its `sha256` is taken as recorded, no file is hashed to verify it.

    Raises `PoseGenError` when the folder is no data set or is newer.
    """
    file = root / DESCRIPTION
    if not file.is_file():
        raise PoseGenError(
            f"{root}: no data set, {DESCRIPTION} is missing; name a folder made by `posegen data`"
        )
    description = read_record(
        file.read_bytes(), Description, SCHEMA, file, "data set", "make it again"
    )
    return Dataset(root, description)
