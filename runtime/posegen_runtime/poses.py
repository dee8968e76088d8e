"""Poses and cameras of masks: `poses.jsonl`, one object a line, or a BOP scene folder.

Unit, camera frame and pixel centre are required and never guessed: half a pixel is centimetres at
20 m. Poses are written in the convention they came in.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from posegen_runtime.bop import SCENE_GT, read_bop_scene
from posegen_runtime.errors import MaskRejected, PoseGenError, printable
from posegen_runtime.geometry import Placement
from posegen_runtime.paths import read_bytes, write_atomic
from posegen_runtime.progress import say

ROTATION_TOLERANCE = 1e-3
"""Largest entry of |R Rᵀ − I| that passes; rotations with four decimals do."""

ABSURD = 1e9
"""No distance in millimetres or camera in pixels has numbers as large: computing overflows."""

LARGEST_M = 100.0
"""No object that has a box is larger: its dims_hwl_m are in other units."""

AMBIGUOUS = 0.9
"""A pose whose `ambiguity` is above this counts as one that its silhouette does not tell."""

Nine = tuple[float, float, float, float, float, float, float, float, float]
Three = tuple[float, float, float]

FIELDS = {
    "mask": "the mask's path inside the masks folder",
    "R_m2c": "9 numbers, model to camera, row by row",
    "t_m2c": "3 numbers, model to camera",
    "t_unit": '"mm" or "m"',
    "cam_K": "9 numbers, row by row",
    "image_size": "[width, height] of the mask in pixels",
    "camera_frame": '"opencv" (x right, y down, z forward) or "opengl" (x right, y up, z backward)',
    "pixel_center": '"integer" (OpenCV: the first pixel\'s centre is 0) or "half" (it is 0.5)',
}
"""Required fields of a line and what they may hold."""


def viewpoint(rotation: NDArray[np.float64], translation: NDArray[np.float64]) -> Three:
    """Unit vector from the object's origin towards the camera, in the object's frame.

    Args:
        rotation: R_m2c [3, 3], translation: t_m2c [3] in any unit; any camera frame.
    """
    centre = -np.asarray(rotation).T @ np.asarray(translation)
    x, y, z = (centre / np.linalg.norm(centre)).tolist()
    return (x, y, z)


class Pose(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object: where it stands before which camera, and the mask that shows it."""

    mask: str
    """The mask's path inside the masks folder, with forward slashes."""
    category: str = "object"
    R_m2c: Nine
    """Rotation, model to camera, row-major."""
    t_m2c: Three
    t_unit: Literal["mm", "m"]
    cam_K: Nine
    """Camera matrix in pixels, row-major."""
    image_size: tuple[int, int]
    """(width, height) in pixels; arrays and `Placement` hold (height, width)."""
    camera_frame: Literal["opencv", "opengl"]
    pixel_center: Literal["integer", "half"]
    dims_hwl_m: Three | None = None
    """Height, width, length of the object in metres."""
    frame: str | None = None
    """Name of the camera frame that shows it, the same for all objects in it; None: its own."""
    ambiguity: float | None = None
    """Highest IoU of the silhouette with that of the same object, at the same place, turned by more
    than 45°; 0 … 1, None where nobody looked."""

    @property
    def depth_m(self) -> float:
        """Of the model's origin before the camera, in metres."""
        z = self.t_m2c[2] if self.camera_frame == "opencv" else -self.t_m2c[2]
        return z / 1000 if self.t_unit == "mm" else z

    @property
    def ambiguous(self) -> bool:
        """Whether the silhouette is known to leave the heading open."""
        return self.ambiguity is not None and self.ambiguity > AMBIGUOUS

    def __post_init__(self) -> None:
        # What is omitted as a default is told by identity, and text from a worker is a copy.
        msgspec.structs.force_setattr(self, "category", sys.intern(self.category))

    def placed(self, placement: Placement) -> "Pose":
        """The same object seen through the camera of the placed image.

        Raises `MaskRejected` when the placement is of another image size than the pose.
        """
        self.check_size(placement.source_size)
        camera = placement.camera(np.array(self.cam_K), self.pixel_center)
        height, width = placement.target_size
        return msgspec.structs.replace(
            self, cam_K=tuple(camera.ravel().tolist()), image_size=(width, height)
        )

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise `MaskRejected` unless the pose is of an image of ``size`` = (height, width)."""
        width, height = self.image_size
        if (height, width) != tuple(size):
            raise MaskRejected(
                f"{self.mask}: the mask is {size[1]}×{size[0]} pixels, its pose says "
                f"{width}×{height}; cam_K would not fit, so mend image_size and cam_K or the mask"
            )


_KNOWN = frozenset(Pose.__struct_fields__)


def read_poses(path: str | Path, image_size: tuple[int, int] | None = None) -> dict[str, Pose]:
    """Poses by mask name from a `poses.jsonl`, or from a BOP scene folder.

    A mask's name is its path inside the masks folder, with forward slashes. In a BOP scene it is
    ``IIIIII_GGGGGG.png`` (image and object number), as in the scene's ``mask/`` folder.
    `image_size`: width and height of a BOP scene's images where it has neither masks nor images.

    Raises `PoseGenError` that names file, line or entry, and field when anything is missing,
    ambiguous or impossible: a rotation that is none, a model's origin behind the camera (a true
    pose can have that, if the model is far from its origin, but a wrong frame is what it mostly
    means), a mask with two poses. Of fields that are none of a pose's it says the first.
    """
    source = Path(path)
    if source.name == SCENE_GT:
        source = source.parent
    entries = read_bop_scene(source, image_size) if os.path.isdir(source) else _read_lines(source)
    poses: dict[str, Pose] = {}
    unknown = ""
    for where, entry in entries:
        pose = _parse(where, entry)
        if not unknown and (keys := entry.keys() - _KNOWN):
            unknown = f"{where}: {sorted(keys)[0]}"
        if pose.mask in poses:
            raise PoseGenError(f"{where}: mask {pose.mask} has a pose already; keep one")
        poses[pose.mask] = pose
    if unknown:
        optional = ", ".join(name for name in Pose.__struct_fields__ if name not in FIELDS)
        say(
            f"warning: {printable(unknown)} is no field of a pose and is not read; those that may "
            f"be left out are {optional}"
        )
    if not poses:
        raise PoseGenError(f"{source}: no poses found; write one object a line")
    return poses


def write_poses(path: str | Path, poses: Iterable[Pose]) -> None:
    """Write a `poses.jsonl` in the order given, whole or not at all."""
    write_atomic(path, b"".join(msgspec.json.encode(pose) + b"\n" for pose in poses))


def _read_lines(file: Path) -> Iterable[tuple[str, Any]]:
    for number, line in enumerate(read_bytes(file).removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            yield where, msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PoseGenError(
                f"{where}: not one JSON object a line ({error}); NaN and Infinity are no JSON"
            ) from error


def _parse(where: str, entry: Any) -> Pose:
    if not isinstance(entry, dict):
        raise PoseGenError(f"{where}: not a JSON object; write one object a line")
    for field, allowed in FIELDS.items():
        if entry.get(field) is None:
            raise PoseGenError(f"{where}: {field} is missing; give {allowed}")
    try:
        pose = msgspec.convert(entry, Pose)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].split("[")[0].rstrip("`")
        advice = f"; {field} is {FIELDS[field]}" if field in FIELDS else ""
        raise PoseGenError(f"{where}: {error}{advice}") from error
    problem = _problem(pose)
    if problem:
        raise PoseGenError(f"{where}: {problem}")
    return msgspec.structs.replace(pose, mask=_mask_name(pose.mask))


def _mask_name(name: str) -> str:
    return printable(PurePosixPath(name.replace("\\", "/")).as_posix())


def _problem(pose: Pose) -> str | None:
    """What is impossible about a pose, and what to do."""
    rotation = np.array(pose.R_m2c).reshape(3, 3)
    camera = np.array(pose.cam_K).reshape(3, 3)
    for field, values in (("R_m2c", rotation), ("t_m2c", pose.t_m2c), ("cam_K", camera)):
        if not (np.abs(values) < ABSURD).all():
            return f"{field} holds a number that is no length or pixel; mend it"
    error = np.abs(rotation @ rotation.T - np.eye(3)).max()
    if error > ROTATION_TOLERANCE:
        return (
            f"R_m2c is no rotation: R·Rᵀ is {error:.2g} off the identity; give more digits, "
            "row by row, and no scale"
        )
    if np.linalg.det(rotation) < 0:
        return "R_m2c is a reflection (determinant −1); a left-handed frame was not converted"
    depth = pose.t_m2c[2] if pose.camera_frame == "opencv" else -pose.t_m2c[2]
    if depth <= 0:
        return (
            f"the model's origin is behind the camera: t_m2c z is {pose.t_m2c[2]:g} in the "
            f"{pose.camera_frame} frame; name the frame that it is given in, or give poses of a "
            "model that is centred on its origin"
        )
    if camera[0, 0] <= 0 or camera[1, 1] <= 0 or tuple(camera[2]) != (0, 0, 1) or camera[1, 0]:
        return "cam_K must be [fx, s, cx, 0, fy, cy, 0, 0, 1] with fx, fy > 0, row by row"
    if min(pose.image_size) < 1:
        return f"image_size {list(pose.image_size)} is empty; give [width, height] in pixels"
    if pose.dims_hwl_m and not all(0 < d < np.inf for d in pose.dims_hwl_m):
        return "dims_hwl_m must be three positive lengths in metres (height, width, length)"
    if pose.dims_hwl_m and max(pose.dims_hwl_m) > LARGEST_M:
        given = ", ".join(f"{length:g}" for length in pose.dims_hwl_m)
        return f"dims_hwl_m is in metres (height, width, length); {given} look like millimetres"
    if pose.ambiguity is not None and not 0 <= pose.ambiguity <= 1:
        return (
            f"ambiguity is {pose.ambiguity:g}; it is an IoU, from 0 to 1: write it with "
            "`posegen data ambiguity`, or leave it out"
        )
    return None
