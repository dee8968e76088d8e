"""The upright box of an object before the camera, as KITTI describes it."""

import functools
import math
from typing import NamedTuple

import msgspec
import numpy as np

from posegen_runtime.choices import Axis
from posegen_runtime.labels.opencv import Floats, opencv_view
from posegen_runtime.poses import Pose, Three
from posegen_runtime.viewpoints import to_training_frame

UPRIGHT_DEG = 3.0
"""An object that leans by more before the camera has no KITTI box: it turns about one axis only.
Over the half length of a car, 3° are 12 cm."""
NEAR_M = 0.05
"""Closer to the camera's plane, nothing can be projected."""

NO_DIMS = "its pose has no dims_hwl_m"
LEANS = (
    f"it leans by more than {UPRIGHT_DEG:g}° before the camera, and KITTI's boxes only turn about "
    "the camera's vertical axis (--model-up names the model's)"
)
BEHIND = "a corner of its box lies behind the camera"

_SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])


class ModelBox(msgspec.Struct, frozen=True):
    """The box of a model along the axes of its own frame, in metres."""

    low: Three
    size: Three


class ModelFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What the axes of the poses' model mean, and how large it is where a mesh tells."""

    forward: Axis = Axis.X
    up: Axis = Axis.Z
    box: ModelBox | None = None
    """Without it the origin is the middle of the box, and each pose gives its size."""


class Cuboid(NamedTuple):
    """In metres, in OpenCV's camera frame."""

    hwl: Three
    location: Floats
    """[3], the middle of its bottom."""
    rotation_y: float
    """-π … π; 0: it looks to the right, -π/2: away from the camera."""
    corners: Floats
    """[8, 2], where its corners are seen; pixel centres are integers."""

    @property
    def alpha(self) -> float:
        """Its turn as the camera sees it, -π … π."""
        x, _, z = self.location
        return float((self.rotation_y - np.arctan2(x, z) + np.pi) % (2 * np.pi) - np.pi)


@functools.lru_cache(maxsize=1)
def _axes(frame: ModelFrame) -> Floats:
    """[3, 3]: the model's directions forward, left and up."""
    return to_training_frame(frame.forward, frame.up)


def why_no_cuboid(pose: Pose, frame: ModelFrame) -> str:
    """Why an object can have no KITTI box, whatever image shows it; "": it can."""
    if frame.box is None and pose.dims_hwl_m is None:
        return NO_DIMS
    vertical = float(opencv_view(pose).R[1] @ _axes(frame)[2])
    lean = math.degrees(math.acos(min(1.0, max(-1.0, -vertical))))
    return LEANS if lean > UPRIGHT_DEG else ""


def cuboid_of(pose: Pose, frame: ModelFrame) -> Cuboid | None:
    """The box of an object for which `why_no_cuboid` knows no reason; None where it reaches behind
    the camera."""
    R, t, K = opencv_view(pose)
    axes = _axes(frame)
    if frame.box is None:
        assert pose.dims_hwl_m is not None
        height, width, length = pose.dims_hwl_m
        middle = np.zeros(3)
    else:
        length, width, height = np.abs(axes @ np.array(frame.box.size)).tolist()
        middle = np.array(frame.box.low) + np.array(frame.box.size) / 2
    centre = R @ middle + t
    forward = R @ axes[0]
    corners = centre + (_SIGNS * np.array([length, width, height]) / 2) @ axes @ R.T
    if corners[:, 2].min() < NEAR_M:
        return None
    seen = corners @ K.T
    return Cuboid(
        hwl=(height, width, length),
        location=centre + np.array([0, height / 2, 0]),
        rotation_y=float(np.arctan2(-forward[2], forward[0])),
        corners=seen[:, :2] / seen[:, 2:],
    )
