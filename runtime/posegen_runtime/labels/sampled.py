"""A sample of the silhouettes and their poses, looked at before work starts."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs
from posegen_runtime.poses import Pose

MASKS = 16


class Sampled(NamedTuple):
    name: str
    pose: Pose
    mask: NDArray[np.uint8]
    """[H, W] in {0, 255}, not empty."""


def sampled(inputs: Inputs) -> Iterator[Sampled]:
    """From all over the folder, those that can be read and have the size of their pose."""
    posed = [mask for mask in inputs.masks if mask.name in inputs.poses]
    step = max(1, len(posed) // MASKS)
    for source in posed[::step][:MASKS]:
        pose = inputs.poses[source.name]
        try:
            (silhouette,) = inputs.reading.silhouettes(source.path)
            pose.check_size((silhouette.mask.shape[0], silhouette.mask.shape[1]))
        except (PoseGenError, ValueError):
            continue  # its row will say why
        if silhouette.mask.any():
            yield Sampled(source.name, pose, silhouette.mask)
