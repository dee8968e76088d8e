"""The poses of a BOP scene folder: scene_gt.json and scene_camera.json.

BOP's conventions: millimetres, OpenCV's camera frame, pixel centres at integers.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.imagefile import read_header
from posegen_runtime.paths import read_bytes

SCENE_GT = "scene_gt.json"
SCENE_CAMERA = "scene_camera.json"
_NUMBER = re.compile("[0-9]{1,18}")


def read_bop_scene(
    scene: Path, image_size: tuple[int, int] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a scene as (where it stands in the files, fields of `poses.Pose`).

    BOP keeps no image size beside the camera, so the size is that of the scene's own mask (or
    image), else `image_size` (width, height), else the one in the data set's camera.json.

    Raises `PoseGenError` naming file and entry.
    """
    objects, cameras = (_read_json(scene, name) for name in (SCENE_GT, SCENE_CAMERA))
    for image, entries in objects.items():
        camera = cameras.get(image)
        where = f"{scene / SCENE_GT}: image {image}"
        if not isinstance(camera, dict):
            raise PoseGenError(f"{where}: {SCENE_CAMERA} has no such image")
        if not isinstance(entries, list) or not _NUMBER.fullmatch(image):
            raise PoseGenError(f"{where}: not BOP's; images are numbers that hold lists of objects")
        for number, entry in enumerate(entries):
            here = f"{where}, object {number}"
            if not isinstance(entry, dict) or not isinstance(entry.get("obj_id"), int):
                raise PoseGenError(f"{here}: not a JSON object with a whole number as obj_id")
            name = f"{int(image):06d}_{number:06d}.png"
            fields = {
                "mask": name,
                "category": f"obj_{entry['obj_id']:06d}",
                "R_m2c": entry.get("cam_R_m2c"),
                "t_m2c": entry.get("cam_t_m2c"),
                "t_unit": "mm",
                "cam_K": camera.get("cam_K"),
                "image_size": _image_size(scene, name, here, image_size),
                "camera_frame": "opencv",
                "pixel_center": "integer",
            }
            yield here, fields


def _image_size(
    scene: Path, mask: str, where: str, given: tuple[int, int] | None
) -> tuple[int, int]:
    image = mask.split("_")[0]
    for file in (
        scene / "mask" / mask,
        scene / "mask_visib" / mask,
        *(
            scene / folder / (image + suffix)
            for folder in ("rgb", "gray")
            for suffix in (".png", ".jpg", ".tif")
        ),
    ):
        if os.path.isfile(file):
            header = read_header(file, read_bytes(file))
            return header.width, header.height
    if given:
        return given
    shared = scene.parent.parent / "camera.json"
    if os.path.isfile(shared):
        camera = _read_json(shared.parent, shared.name)
        if isinstance(camera.get("width"), int) and isinstance(camera.get("height"), int):
            return camera["width"], camera["height"]
    raise PoseGenError(
        f"{where}: the image size is unknown; keep mask/{mask} in the scene, or camera.json with "
        "width and height beside the split folder (posegen data masks also takes --image-size)"
    )


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    file = folder / name
    if not os.path.isfile(file):
        raise PoseGenError(
            f"{folder}: not a BOP scene, {name} is missing; name a scene folder or a poses.jsonl"
        )
    try:
        return msgspec.json.decode(read_bytes(file), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PoseGenError(f"{file}: unreadable ({error}); write it again") from error
