"""What is set apart from calibration to judge it: masks, and photos of their own.

A data set holds an object or a scene in a folder. A mask of a car that calibration has seen, in
front of a background that it has seen, proves little.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from posegen_calibration.silhouettes import FoundSilhouette
from posegen_runtime.sources import Source

TRIAL, HELD_OUT = 24, 64
SHARE = 1 / 8
"""For each of the two, at most, and of each kind of photos for both together; of few masks, most
are needed to calibrate."""
ENOUGH = 16
"""Folders that are split as a whole, and photos that are split at all. With fewer, either side
would have next to none."""

T = TypeVar("T")


@dataclass(frozen=True)
class SplitMasks:
    """Three parts of which no two have a mask in common, nor a folder where `folders` are given."""

    held_out: list[FoundSilhouette]
    trial: list[FoundSilhouette]
    rest: list[FoundSilhouette]
    folders: frozenset[str]
    """Those of the first two, where masks were split by folders; else empty."""

    @property
    def explanation(self) -> str:
        """Such as "62 masks of 7 folders held out, 24 of 3 folders for the trial"."""
        held_out, trial = (self._of_folders(part) for part in (self.held_out, self.trial))
        return (
            f"{len(self.held_out)} masks{held_out} held out, {len(self.trial)}{trial} for the trial"
        )

    def _of_folders(self, part: list[FoundSilhouette]) -> str:
        count = len({folder_of(one.source.name) for one in part})
        return f" of {count} folder{'s' * (count != 1)}" if self.folders else ""


def split_masks(silhouettes: Sequence[FoundSilhouette], seed: int) -> SplitMasks:
    """Drawn by `seed`; whole folders where there are `ENOUGH`.

    Of a folder that has more masks than are wanted the others are in none of the parts. A folder
    with more than its `SHARE` of all masks is never set apart.
    """
    share = int(len(silhouettes) * SHARE)
    wanted = min(HELD_OUT, share), min(TRIAL, share)
    random = np.random.default_rng([seed, 1])
    folders = _by_folder(silhouettes, lambda one: one.source.name)
    if len(folders) < ENOUGH:
        order = random.permutation(len(silhouettes))
        ends = wanted[0], sum(wanted)
        parts = order[: ends[0]], order[ends[0] : ends[1]], order[ends[1] :]
        held_out, trial, rest = ([silhouettes[i] for i in sorted(part)] for part in parts)
        return SplitMasks(held_out, trial, rest, frozenset())
    left = [name for name in _shuffled(sorted(folders), random) if len(folders[name]) <= share]
    taken: set[str] = set()
    apart: list[list[FoundSilhouette]] = []
    for count in wanted:
        found: list[FoundSilhouette] = []
        while left and len(found) < count:
            taken.add(left[0])
            found += _shuffled(folders[left.pop(0)], random)
        apart.append(found[:count])
    rest = [one for one in silhouettes if folder_of(one.source.name) not in taken]
    return SplitMasks(apart[0], apart[1], rest, frozenset(taken))


def split_photos(
    sources: Sequence[Source], folders: frozenset[str], seed: int
) -> tuple[list[Source], list[Source]]:
    """(for the masks set apart, for all others), drawn by `seed`; the same for both where there are
    fewer than `ENOUGH`.

    Where the photos lie in `ENOUGH` folders, whole ones: those of the masks, `folders`, if they
    have the same names. A file that is reached under two names counts as set apart.
    """
    everything = list(sources)
    if len(everything) < ENOUGH:
        return everything, everything
    random = np.random.default_rng([seed, 4])
    by_folder = _by_folder(everything, lambda source: source.name)
    if len(by_folder) >= ENOUGH:
        names = folders & by_folder.keys() or set(_share(sorted(by_folder), random))
        chosen = [source for name in sorted(names) for source in by_folder[name]]
    else:
        chosen = _share(everything, random)
    files = {os.path.realpath(source.path) for source in chosen}
    apart = [source for source in everything if os.path.realpath(source.path) in files]
    rest = [source for source in everything if os.path.realpath(source.path) not in files]
    return (apart, rest) if rest else (everything, everything)


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def _by_folder(items: Sequence[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    folders: dict[str, list[T]] = {}
    for item in items:
        folders.setdefault(folder_of(name(item)), []).append(item)
    return folders


def _shuffled(items: Sequence[T], random: np.random.Generator) -> list[T]:
    order: npt.NDArray[np.int64] = random.permutation(len(items))
    return [items[i] for i in order]


def _share(items: Sequence[T], random: np.random.Generator) -> list[T]:
    return _shuffled(items, random)[: max(int(len(items) * SHARE), 1)]
