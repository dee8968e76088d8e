"""What one training step sees, as a function of (seed, step) and of nothing else.

So a resumed run sees what the uninterrupted one would have, whatever the workers' timing. Several
devices see what one would have: each draws the indices of the whole batch and reads its own part.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posegen.config import SamplerName, TrainConfig
from posegen.data.prepared import Pixels, Split


@dataclass(frozen=True)
class Batch:
    """uint8 arrays of N samples, images [N, S, S, 3], masks [N, S, S] in {0, 255}.

    `photo`, `photo_mask`, `photo_background` are a real image and what belongs to it;
    `mask` (p), `appearance` (o), `background` (b) and `viewpoint` (float32 [N, 3], zeros: unknown)
    condition the generator. `exact_mask` and `exact_photo_mask` are what `mask` and
    `photo_mask` were before they were roughened, None where none was (`data.roughen`). `paired`:
    the generated image should be `photo`: Eq. 7 applies.
    """

    photo: Pixels
    photo_mask: Pixels
    photo_background: Pixels
    mask: Pixels
    appearance: Pixels
    background: Pixels
    viewpoint: NDArray[np.float32]
    paired: bool
    exact_mask: Pixels | None = None
    exact_photo_mask: Pixels | None = None


class Sampler(Protocol):
    def batch(self, step: int) -> Batch: ...


class _Order:
    """Every sample once an epoch, in an order drawn anew each time."""

    def __init__(self, length: int, seed: int) -> None:
        self.length = length
        self.seed = seed
        self._epoch = -1
        self._permutation = np.empty(0, np.int64)

    def __getitem__(self, position: int) -> int:
        epoch, offset = divmod(position, self.length)
        if epoch != self._epoch:
            self._permutation = np.random.default_rng([self.seed, 0, epoch]).permutation(
                self.length
            )
            self._epoch = epoch
        return int(self._permutation[offset])


class _Drawing:
    """`batch_size` is that of all `world` processes, of which process `rank` gets its part.
    `viewpoint_dropout`: share of the samples whose viewpoint is withheld."""

    def __init__(
        self,
        split: Split,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        viewpoint_dropout: float = 0.0,
    ) -> None:
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        size = batch_size // world
        self._own = slice(rank * size, (rank + 1) * size)
        self.viewpoint_dropout = viewpoint_dropout
        self._order = _Order(len(split), seed)

    def _photos(self, step: int) -> NDArray[np.int64]:
        """Those of the whole batch."""
        first = step * self.batch_size
        return np.array([self._order[first + i] for i in range(self.batch_size)])

    def _generator(self, step: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 1, step, 0])

    def _withhold(
        self, viewpoint: NDArray[np.float32], generator: np.random.Generator
    ) -> NDArray[np.float32]:
        """`viewpoint` of the own part, without those that are drawn to be unknown."""
        known = generator.random(self.batch_size) >= self.viewpoint_dropout
        return viewpoint * known[self._own, None].astype(np.float32)


class PairedSampler(_Drawing):
    """A photo, its own mask and background, and an appearance drawn from the other views of the
    same scene. Eq. 6 and Eq. 7 apply."""

    @cached_property
    def _views(self) -> dict[int, NDArray[np.int64]]:
        scenes = self.split.scene
        return {int(one): np.flatnonzero(scenes == one) for one in np.unique(scenes)}

    def batch(self, step: int) -> Batch:
        photos = self._photos(step)
        generator = self._generator(step)
        views = [int(generator.choice(self._views[int(self.split.scene[i])])) for i in photos]
        batch = paired_batch(self.split, photos[self._own], np.array(views)[self._own])
        return replace(batch, viewpoint=self._withhold(batch.viewpoint, generator))


class IndependentSampler(_Drawing):
    """Algorithm 1: o, p and b drawn apart, a real photo beside for D. Eq. 6 only."""

    def batch(self, step: int) -> Batch:
        split = self.split
        photos = self._photos(step)[self._own]
        generator = self._generator(step)
        drawn = generator.integers(len(split), size=(3, self.batch_size))
        appearances, masks, backgrounds = drawn[:, self._own]
        return Batch(
            photo=split.photo[photos],
            photo_mask=split.mask[photos],
            photo_background=split.background[photos],
            mask=split.mask[masks],
            appearance=split.appearance[appearances],
            background=split.background[backgrounds],
            viewpoint=self._withhold(split.viewpoint[masks], generator),
            paired=False,
        )


def paired_batch(split: Split, photos: NDArray[np.int64], views: NDArray[np.int64]) -> Batch:
    """Photos with what belongs to them; the appearance of photo i is that of sample views[i]."""
    mask, background = split.mask[photos], split.background[photos]
    return Batch(
        photo=split.photo[photos],
        photo_mask=mask,
        photo_background=background,
        mask=mask,
        appearance=split.appearance[views],
        background=background,
        viewpoint=split.viewpoint[photos],
        paired=True,
    )


def build_sampler(config: TrainConfig, split: Split, rank: int = 0, world: int = 1) -> Sampler:
    """The sampler that `config.sampler` names."""
    samplers: dict[SamplerName, type[PairedSampler] | type[IndependentSampler]] = {
        SamplerName.PAIRED: PairedSampler,
        SamplerName.INDEPENDENT: IndependentSampler,
    }
    return samplers[config.sampler](
        split, config.batch_size, config.seed, rank, world, config.viewpoint_dropout
    )
