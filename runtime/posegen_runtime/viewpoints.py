"""From where each mask shows its object, for models that take it.

A model knows viewpoints in the frame that it was trained with: x forward, y left, z up.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from posegen_runtime.choices import Axis
from posegen_runtime.errors import PoseGenError
from posegen_runtime.poses import Pose, Three, viewpoint

UNKNOWN: Three = (0.0, 0.0, 0.0)


def to_training_frame(forward: Axis, up: Axis) -> NDArray[np.float64]:
    """Rotation [3, 3] from the frame of the poses' model, which has `forward` and `up`, to x
    forward, y left, z up. Raises `PoseGenError` when they lie on one line."""
    x, z = _vector(forward), _vector(up)
    if np.abs(x @ z) > 0:
        raise PoseGenError(
            f"--model-forward {forward.value} --model-up {up.value}: lie on one line; "
            "name the axes of your model that point forward and up"
        )
    return np.stack([x, np.cross(z, x), z])


def of_poses(poses: Mapping[str, Pose], forward: Axis, up: Axis) -> dict[str, Three]:
    """The viewpoint of each pose in the training frame, by the mask's name.

    Neither the camera's frame, the unit, nor how the mask is cropped matters.
    """
    turn = to_training_frame(forward, up)
    return {name: seen_from(pose, turn) for name, pose in poses.items()}


def seen_from(pose: Pose, turn: NDArray[np.float64]) -> Three:
    """The viewpoint of a pose in the training frame; `turn` is what `to_training_frame` gives."""
    seen = viewpoint(np.reshape(pose.R_m2c, (3, 3)), np.array(pose.t_m2c))
    x, y, z = (turn @ np.array(seen)).tolist()
    return (x, y, z)


def explanation(known: int, masks: int, origin: str) -> str:
    """One line on what the model is told. `origin`: where the viewpoints come from."""
    if not known:
        return "the model could use viewpoints; give --poses, or front and rear are guessed"
    rest = "; the others are guessed" if known < masks else ""
    return f"viewpoints: from {origin} for {known} of {masks} masks{rest}"


def _vector(axis: Axis) -> NDArray[np.float64]:
    unit = np.eye(3)["xyz".index(axis.value[-1])]
    return -unit if axis.value.startswith("-") else unit
