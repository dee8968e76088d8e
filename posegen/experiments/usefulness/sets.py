"""The five training sets that are compared: the same number of images each, but for the union of
two of them; all are learnt from in the same number of steps."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from posegen.evaluation.heading import azimuth
from posegen.evaluation.model import Model
from posegen.experiments.usefulness.arrays import read_npz, write_npz
from posegen.experiments.usefulness.config import Config
from posegen.experiments.usefulness.generator import generate
from posegen.experiments.usefulness.pasting import cut_and_paste, over
from posegen.experiments.usefulness.renders import Drawn, Pixels
from posegen.experiments.usefulness.views import level
from posegen.judges.augment import Views


class Set(str, Enum):
    """A training set, by its name in tables."""

    PASTED_SIM = "1 sim pasted"
    PASTED_PHOTOS = "2 cut-and-paste"
    POSEGEN = "3 PoseGen"
    UNION = "4 = 1 + 3"
    CEILING = "5 ceiling"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]

    @property
    def has_poses(self) -> bool:
        return self is not Set.PASTED_PHOTOS


_MEANINGS = {
    Set.PASTED_SIM: "sim renders on target backgrounds",
    Set.PASTED_PHOTOS: "target photos, cut out and pasted; no poses",
    Set.POSEGEN: "PoseGen's images of the sim silhouettes",
    Set.UNION: "all of 1, all of 3: twice the images",
    Set.CEILING: "labelled target renders, which nobody has",
}


@dataclass(frozen=True)
class Material:
    """What the sets are made of. `masks` are the photos' rough silhouettes."""

    config: Config
    sim: Drawn
    photos: Drawn
    masks: Pixels
    ceiling: Drawn

    def stream(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, 200, number])

    @property
    def scenes(self) -> Pixels:
        """For each simulator's frame an empty target scene, [images, S, S, 3]."""
        return self.photos.empty[self.stream(1).integers(len(self.photos), size=len(self.sim))]


def pasted_sim(of: Material) -> Views:
    image = over(of.sim.image, of.sim.cover, of.scenes)
    return Views(image, of.sim.mask, azimuth(of.sim.viewpoint))


def pasted_photos(of: Material) -> Views:
    rng = of.stream(2)
    pairs = []
    for scene in of.scenes:
        number = int(rng.integers(len(of.photos)))
        pairs.append(cut_and_paste(of.photos.image[number], of.masks[number], scene, rng))
    images, masks = (np.stack(column) for column in zip(*pairs, strict=True))
    return Views(images, masks, np.full(len(masks), np.nan))


def posegen(of: Material, model: Model, appearances: Pixels, is_own: bool) -> Views:
    """`appearances` [M, S, S, 3] are cut out of the target photos. The experiment's own model
    (`is_own`) has learnt views at one elevation."""
    azimuths = azimuth(of.sim.viewpoint)
    drawn = of.stream(3).integers(len(appearances), size=len(of.sim))
    viewpoint = level(azimuths) if is_own else of.sim.viewpoint
    image = generate(model, of.sim.mask, appearances[drawn], of.scenes, viewpoint)
    return Views(image, of.sim.mask, azimuths)


def union(one: Views, other: Views) -> Views:
    """All images of both."""
    return Views(
        np.concatenate([one.image, other.image]),
        np.concatenate([one.mask, other.mask]),
        np.concatenate([one.azimuth, other.azimuth]),
    )


def ceiling(of: Material) -> Views:
    return views(of.ceiling)


def views(drawn: Drawn) -> Views:
    return Views(drawn.image, drawn.mask, azimuth(drawn.viewpoint))


def kept(file: Path, make: Callable[[], Views]) -> Views:
    """The set in `file`, made where it is not there yet."""
    if not file.exists():
        made = make()
        write_npz(file, {"image": made.image, "mask": made.mask, "azimuth": made.azimuth})
    image, mask, angles = read_npz(file, ("image", "mask", "azimuth"))
    return Views(
        image.astype(np.uint8, copy=False),
        mask.astype(np.uint8, copy=False),
        angles.astype(np.float64, copy=False),
    )
