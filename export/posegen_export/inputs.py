"""The inputs on which an export proves itself: silhouettes, conditions and viewpoints, real or
made up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from posegen.data.dataset import open_dataset
from posegen.data.prepared import read_image, read_mask
from posegen_calibration.samples import choose
from posegen_export import synthetic
from posegen_runtime.errors import PoseGenError

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

CONDITIONS = 4
"""Appearances, and backgrounds. 16 inputs meet every pair of them once."""
MIN_REAL = 2
"""Silhouettes; whether the mask moves the output shows only between two of them."""
GRAINS = (1, 8, 32)
"""Details, in pixels, of the random masks that follow the real ones."""
WITHHELD = -2
"""The mask, a random one, whose viewpoint is withheld."""


Feeds = dict[str, npt.NDArray[Any]]
"""Inputs of a graph by name: `mask` uint8 [N, H, W], `viewpoint` float32 [N, 3], images uint8
[N, H, W, 3]."""


@dataclass(frozen=True)
class Inputs:
    """`masks` uint8 [M, H, W], the first `real` of them silhouettes and the rest random;
    `viewpoints` float32 [M, 3], one for each mask, unit vectors or zeros where it is withheld or
    unknown; `appearances` and `backgrounds` uint8 [4, H, W, 3]; `source` says where they come
    from."""

    masks: Pixels
    real: int
    viewpoints: Vectors
    appearances: Pixels
    backgrounds: Pixels
    source: str

    def condition_index(self, name: str, row: int) -> int:
        """Which appearance or background goes with mask `row`; all pairs occur."""
        step = 1 if name == "appearance" else CONDITIONS
        return row // step % CONDITIONS

    def feeds(self, names: Sequence[str], rows: Sequence[int] | None = None) -> Feeds:
        """Inputs of a graph, by name, for the masks `rows` (None: all)."""
        rows = range(len(self.masks)) if rows is None else rows
        each: Feeds = {"mask": self.masks, "viewpoint": self.viewpoints}
        pools: Feeds = {"appearance": self.appearances, "background": self.backgrounds}
        return {
            name: each[name][list(rows)]
            if name in each
            else pools[name][[self.condition_index(name, row) for row in rows]]
            for name in names
        }


def from_seed(size: tuple[int, int], count: int, seed: int) -> Inputs:
    """`count` made-up masks, the last few random, made-up conditions of (height, width) and random
    viewpoints."""
    generator = np.random.default_rng(seed)
    real = count - len(GRAINS)
    return Inputs(
        masks=np.stack(
            [synthetic.car_mask(generator, size) for _ in range(real)]
            + [synthetic.random_mask(generator, size, grain) for grain in GRAINS]
        ),
        real=real,
        viewpoints=_viewpoints(np.empty((0, 3)), count, seed),
        appearances=np.stack([synthetic.appearance(generator, size) for _ in range(CONDITIONS)]),
        backgrounds=np.stack([synthetic.background(generator, size) for _ in range(CONDITIONS)]),
        source=f"synthetic, seed {seed}",
    )


def from_dataset(root: Path, size: tuple[int, int], count: int, seed: int) -> Inputs:
    """Like `from_seed`, with silhouettes, their viewpoints and conditions of the samples that no
    training saw: those of the test split, and when they give too few silhouettes those of the
    validation split too.

    Silhouettes are chosen by `posegen_calibration.samples`. Raises `PoseGenError` when both splits
    together give fewer than two silhouettes that are not empty, an image cannot be read, or it is
    smaller than the model's size.
    """
    dataset = open_dataset(root)
    source = dataset.description.image_size
    if size[0] > source[0]:
        raise PoseGenError(
            f"{root}: images of {source[0]} px are smaller than the model's {size[0]}; "
            "name a data set of at least that size"
        )
    real = count - len(GRAINS)
    for splits in (("test",), ("test", "val")):
        samples = [sample for split in splits for sample in dataset.samples(split)]
        chosen = choose((read_mask(s.mask, source, size[0]) for s in samples), real, seed)
        if len(chosen) == real:
            break
    if len(chosen) < MIN_REAL:
        raise PoseGenError(
            f"{root}: {len(chosen)} of {len(samples)} samples of the test and val splits show a "
            f"silhouette at {size[0]} px, {MIN_REAL} are needed; render more or hold out more "
            "photos (posegen data photos --val), or leave out --data for made-up inputs"
        )
    used = [split for split in splits if dataset.samples(split)]
    generator = np.random.default_rng(seed)
    masks = [read_mask(samples[i].mask, source, size[0]) for i in chosen]
    masks += [synthetic.random_mask(generator, size, grain) for grain in GRAINS]
    others = np.random.default_rng([seed, 1]).permutation(len(samples))
    spread = [samples[others[i % len(samples)]] for i in range(CONDITIONS)]
    return Inputs(
        masks=np.stack(masks),
        real=len(chosen),
        viewpoints=_viewpoints([samples[i].viewpoint for i in chosen], len(masks), seed),
        appearances=np.stack([read_image(s.appearance, source, size[0]) for s in spread]),
        backgrounds=np.stack([read_image(s.background, source, size[0]) for s in spread]),
        source=f"{dataset.description.name}, {' and '.join(used)} split, seed {seed}",
    )


def _viewpoints(known: npt.ArrayLike, count: int, seed: int) -> Vectors:
    """The `known` ones, then random ones, `count` in all; one of a random mask is withheld."""
    drawn = np.random.default_rng([seed, 2]).normal(size=(count, 3))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    given = np.asarray(known, np.float64).reshape(-1, 3)
    drawn[: len(given)] = given
    drawn[WITHHELD] = 0
    return drawn.astype(np.float32)
