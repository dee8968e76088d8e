"""Whether poses are of images of the masks' size, as far as some masks tell, before work starts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.maskfile import read_mask_file
from posegen_runtime.poses import Pose
from posegen_runtime.sources import Source

LOOKED_AT = 16
"""Masks, evenly spaced; looking ends at the first that fits."""


def check_pose_sizes(file: Path, masks: Sequence[Source], poses: Mapping[str, Pose]) -> None:
    """Raises `PoseGenError` where `image_size` fits none of the masks looked at. Where it fits
    some, the others cost their rows."""
    held = [mask for mask in masks if mask.name in poses]
    step = max(1.0, len(held) / LOOKED_AT)
    misfits: list[MaskRejected] = []
    for number in range(min(len(held), LOOKED_AT)):
        mask = held[int(number * step)]
        try:
            height, width = read_mask_file(mask.path).pixels.shape[:2]
        except PoseGenError:
            continue  # which costs its row
        try:
            poses[mask.name].check_size((height, width))
        except MaskRejected as misfit:
            misfits.append(misfit)
        else:
            return
    if misfits:
        raise PoseGenError(
            f"--poses {file}: image_size is [width, height] of the mask and fits none of the "
            f"{len(misfits)} looked at; {misfits[0]}"
        )
