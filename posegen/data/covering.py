"""Backgrounds that are foreign under the object, so that nothing can be read from what lies there.

A photo without an empty scene has a filling there. A model that sees nothing else learns to leave
it in the image, and at generation the lines of a true scene shine through the object.

Replaced is the inside of the mask that the generator is given, so that the seam says nothing which
the mask does not. The mask's outermost pixels stay: they mix object and scene, in the photo and in
what is generated. So does all that lies outside, where Eq. 6 and the photo show b. The
discriminator sees the same b beside the real image and beside the generated one.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from posegen.config import TrainConfig
from posegen.data.prepared import Pixels
from posegen.data.samplers import Batch, Sampler


@dataclass(frozen=True)
class CoveredSampler:
    """What `sampler` draws, paired, with foreign pixels under a share of the objects.

    They come from `backgrounds`, uint8 [M, S, S, 3]. Which ones follows from (seed, step, position
    in the whole batch) alone: a resumed run sees the same, and so do several devices together.
    """

    sampler: Sampler
    backgrounds: Pixels
    seed: int
    rank: int
    share: float

    def batch(self, step: int) -> Batch:
        drawn = self.sampler.batch(step)
        background = drawn.background.copy()
        first = self.rank * len(background)
        for i, image in enumerate(background):
            generator = np.random.default_rng([self.seed, 3, step, first + i])
            if generator.random() < self.share:
                inside = inner(drawn.mask[i])
                image[inside] = self._foreign(generator)[inside]
        return replace(drawn, background=background, photo_background=background)

    def _foreign(self, generator: np.random.Generator) -> Pixels:
        """A background moved by a quarter of its side at least, around its borders: objects tend
        to stand at the same place, and so do the fillings under them."""
        other = self.backgrounds[int(generator.integers(len(self.backgrounds)))]
        side = len(other)
        down, right = generator.integers(side // 4, side - side // 4 + 1, 2)
        return np.roll(other, (int(down), int(right)), axis=(0, 1))


def inner(mask: Pixels) -> Pixels:
    """Where a pixel of the mask, uint8 [S, S] in {0, 255}, and its eight neighbours are object;
    bool [S, S]."""
    return np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0)


def with_covering(
    sampler: Sampler, config: TrainConfig, backgrounds: Pixels, rank: int = 0
) -> Sampler:
    """`sampler`, covered as the configuration asks."""
    if config.covered == 0:
        return sampler
    return CoveredSampler(sampler, backgrounds, config.seed, rank, config.covered)
