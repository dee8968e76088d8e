"""Which photos show the same physical object, and which of them are held out."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posegen_runtime.errors import PoseGenError

ALL = "all"
"""The group of every photo when no file tells them apart."""
ENOUGH_GROUPS = 10
"""From so many groups on, whole groups are held out: validation then shows unseen objects."""


class Groups(NamedTuple):
    """`of`: the group of a photo. `strangers` are lines that name none of the photos."""

    of: dict[Path, str]
    strangers: list[str]


def read_groups(file: Path, photos: Sequence[Path]) -> Groups:
    """Group by photo, from lines `photo,group`, quoted where a name holds a comma; empty lines and
    those that begin with # are skipped, and so is a line that names its columns so.

    Args:
        photos: paths below the photos' folder. A line names one by its path, its file name or its
            name without suffix.

    Raises:
        PoseGenError: naming the line that is no pair, fits several photos or gives a photo a
            second group; or when no line names a photo.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PoseGenError(f"--groups {file}: cannot be read as text ({error})") from None
    names = _names(photos)
    groups: dict[Path, str] = {}
    strangers: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"--groups {file}, line {number}"
        fields = [field.strip() for field in next(csv.reader([line], skipinitialspace=True))]
        if fields == ["photo", "group"]:
            continue
        if len(fields) != 2 or not all(fields):
            raise PoseGenError(
                f"{where}: write it as photo,group, with quotes around a name that holds a comma"
            )
        name, group = fields
        found = names.get(name, [])
        if not found:
            strangers.append(f"line {number}, {name}")
        if len(found) > 1:
            raise PoseGenError(f"{where}: {name} fits {len(found)} photos; write its path")
        for photo in found:
            if groups.setdefault(photo, group) != group:
                raise PoseGenError(f"{where}: {photo} has the group {groups[photo]} already")
    if not groups:
        raise PoseGenError(f"--groups {file}: names none of the photos, such as {photos[0]}")
    return Groups(groups, strangers)


def _names(photos: Sequence[Path]) -> dict[str, list[Path]]:
    names: dict[str, list[Path]] = {}
    for photo in photos:
        for name in {photo.as_posix(), photo.name, photo.stem}:
            names.setdefault(name, []).append(photo)
    return names


def hold_out(groups: Mapping[str, int], share: float, seed: int) -> dict[str, int]:
    """How many photos of each group are for validation.

    Args:
        groups: photos of each group.
        share: of the groups where there are `ENOUGH_GROUPS`, else of the photos of each group;
            more than 0 holds out at least one where anything is left to train on.
    """
    if share == 0:
        return dict.fromkeys(groups, 0)
    shuffled = np.random.default_rng([seed, len(groups)]).permutation(sorted(groups))
    order = [str(name) for name in shuffled]
    if len(groups) >= ENOUGH_GROUPS:
        held = set(order[: max(1, round(share * len(groups)))])
        return {name: count if name in held else 0 for name, count in groups.items()}
    counts = {name: min(round(share * count), count - 1) for name, count in groups.items()}
    largest = max(order, key=lambda name: groups[name])
    if not any(counts.values()) and groups[largest] > 1:
        counts[largest] = 1
    return counts
