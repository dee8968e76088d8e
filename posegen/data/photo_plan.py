"""Which photo goes into which split and scene, and which other photo shows its appearance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posegen.data.photo_checks import Usable
from posegen.data.photo_groups import hold_out


@dataclass(frozen=True)
class Shot:
    """One sample: where it goes, and `shown`, the photo that is its appearance."""

    split: str
    scene: int
    frame: int
    group: str
    photo: Usable
    shown: Usable


def plan_shots(groups: Mapping[str, Sequence[Usable]], val: float, seed: int) -> list[Shot]:
    """Split every group (see `photo_groups.hold_out`) and pair its photos.

    A group becomes two scenes, each with the photos of the other as appearances. Training draws
    an appearance from any sample of the same scene, so it never draws the photo itself. Training
    photos are shown training photos only. A photo alone in its group is its own appearance.
    """
    held_out = hold_out({name: len(photos) for name, photos in groups.items()}, val, seed)
    shots: list[Shot] = []
    scene = 0
    for number, name in enumerate(sorted(groups)):
        order = np.random.default_rng([seed, number]).permutation(len(groups[name]))
        photos = [groups[name][int(i)] for i in order]
        held, rest = photos[: held_out[name]], photos[held_out[name] :]
        for split, part, others in (("train", rest, []), ("val", held, rest)):
            for half, shown in half_scenes(part, others):
                shots += [
                    Shot(split, scene, frame, name, photo, shown[frame % len(shown)])
                    for frame, photo in enumerate(half)
                ]
                scene += 1
    return shots


def half_scenes(
    part: list[Usable], others: list[Usable]
) -> list[tuple[list[Usable], list[Usable]]]:
    """(photos of a scene, photos to show there) for the photos of a group in one split; `others`
    may be shown to a photo that is alone."""
    if not part:
        return []
    if len(part) == 1:
        return [(part, others or part)]
    middle = math.ceil(len(part) / 2)
    return [(part[:middle], part[middle:]), (part[middle:], part[:middle])]
