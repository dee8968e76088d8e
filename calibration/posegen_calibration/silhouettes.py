"""The silhouettes of a folder that can stand for it, described; each file is read once."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from posegen_calibration.samples import describe
from posegen_calibration.sampling import Sampling
from posegen_runtime.errors import PoseGenError
from posegen_runtime.geometry import place
from posegen_runtime.inputs import Inputs
from posegen_runtime.sources import Source
from posegen_runtime.viewpoints import of_poses

MIN_MASKS = 8
"""Different silhouettes; below that there is nothing to hold out and nothing to stratify."""
MAX_UNUSABLE = 0.1
"""Share of mask files that may be unreadable or empty."""
SHOWN = 5
"""Unusable files that are named."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class FoundSilhouette:
    """One silhouette of a mask file, at the model's size."""

    source: Source
    object: str
    """Which one, where the file holds several."""
    features: tuple[float, float, float]
    """What `samples.describe` says."""
    heading: float | None
    """Azimuth of the camera in radians, where the pose is known."""


def find_silhouettes(
    size: tuple[int, int], sampling: Sampling, inputs: Inputs, tell: Tell
) -> list[FoundSilhouette]:
    """Every usable silhouette, placed at ``size`` = (height, width); identical ones count once.

    `tell` is told of masks that are left out and of other sizes. Raises `PoseGenError` when more
    than `MAX_UNUSABLE` of the files are unusable, or fewer than `MIN_MASKS` silhouettes are left.
    """
    azimuths = {
        name: math.atan2(y, x)
        for name, (x, y, _) in of_poses(
            inputs.poses, sampling.model_forward, sampling.model_up
        ).items()
    }
    found: list[FoundSilhouette] = []
    unusable: list[str] = []
    seen: set[bytes] = set()
    copies = 0
    sizes: Counter[tuple[int, int]] = Counter()
    for source in inputs.masks:
        try:
            for one in inputs.reading.silhouettes(source.path):
                placement = place(one.mask, size, sampling.fit)
                placed = placement.mask(one.mask)
                content = hashlib.sha256(placed.tobytes()).digest()
                if content in seen:
                    copies += 1
                    continue
                seen.add(content)
                features = describe(placed)
                name = one.name_suffix.lstrip("_")
                found.append(FoundSilhouette(source, name, features, azimuths.get(source.name)))
                sizes[placement.source_size] += 1
        except PoseGenError as error:
            reason = str(error).removeprefix(f"{source.path}: ")
            unusable.append(f"{source.name}: {reason}")
    if copies:
        tell(f"left out: {copies} of {copies + len(found)} silhouettes, which are copies of others")
    _check_usable(sampling, len(inputs.masks), len(found), unusable, tell)
    height, width = size
    others = sum(count for size, count in sizes.items() if size != (height, width))
    if others:
        tell(
            f"{others} of {len(found)} masks have other sizes than the model's {width}×{height}: "
            f"they are placed by --fit {sampling.fit.value}, as in a run"
        )
    return found


def _check_usable(
    sampling: Sampling, files: int, found: int, unusable: list[str], tell: Tell
) -> None:
    if len(unusable) > MAX_UNUSABLE * files:
        raise PoseGenError(
            f"--masks {sampling.masks}: {len(unusable)} of {files} masks cannot be used, such as "
            f"{unusable[0]}; repair or remove them"
        )
    for line in unusable[:SHOWN]:
        tell(f"left out: {line}")
    if len(unusable) > SHOWN:
        tell(f"left out: {len(unusable) - SHOWN} more masks")
    if found < MIN_MASKS:
        raise PoseGenError(
            f"--masks {sampling.masks}: {found} different masks are too few to calibrate "
            f"on; at least {MIN_MASKS} are needed, and hundreds are better"
        )
