"""Silhouettes as segmenters draw them, and objects that the border cuts, out of exact whole ones.

A renderer's silhouette is exact to the pixel; a segmenter's is a blob that cuts corners, leaves
holes and bulges. A model trained on the one alone gives an unfit image for the other.

Which mask goes where: the generator is given the rough one, and the discriminator sees it beside
the real photo and beside the generated image alike, so that it cannot tell them apart by the fit of
the mask. Eq. 6 counts outside of the rough and the exact mask, Eq. 7 inside of both: in the band
between, the photo shows the object where p has none, or the reverse, and neither is a truth; what
belongs there is left to the discriminator.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.config import TrainConfig
from posegen.data.prepared import Pixels
from posegen.data.samplers import Batch, Sampler

MIN_IOU = 0.7
"""A mask that came out rougher stays exact."""
SMALLEST_WINDOW = 0.55
"""Side of the smallest crop, as a share of the image's."""
MIN_KEPT = 0.4
"""Share of the object that stays inside a crop at least."""
_TRIES = 6


@dataclass(frozen=True)
class RoughSampler:
    """What `sampler` draws, a share of it with rough masks, a share of it cropped.

    Follows from (seed, step, position in the whole batch) alone: a resumed run sees the same, and
    so do several devices together.
    """

    sampler: Sampler
    seed: int
    rank: int
    rough_masks: float
    """Share of the samples whose mask is roughened."""
    crops: float
    """Share of the samples that are cropped."""

    def batch(self, step: int) -> Batch:
        drawn = self.sampler.batch(step)
        size = len(drawn.mask)
        places = range(self.rank * size, (self.rank + 1) * size)
        generators = [np.random.default_rng([self.seed, 2, step, place]) for place in places]
        return _roughened(_cropped(drawn, self.crops, generators), self.rough_masks, generators)


def with_roughening(sampler: Sampler, config: TrainConfig, rank: int = 0) -> Sampler:
    """`sampler`, roughened and cropped as the configuration asks."""
    if config.rough_masks == config.crops == 0:
        return sampler
    return RoughSampler(sampler, config.seed, rank, config.rough_masks, config.crops)


def _cropped(batch: Batch, share: float, generators: list[np.random.Generator]) -> Batch:
    """Photo, mask and background through one window; in an unpaired batch the generator's mask and
    background through another. The appearance stays whole."""
    if share == 0:
        return batch
    real = batch.photo.copy(), batch.photo_mask.copy(), batch.photo_background.copy()
    asked = real[1:] if batch.paired else (batch.mask.copy(), batch.background.copy())
    for i, generator in enumerate(generators):
        if generator.random() >= share:
            continue
        _crop(real[1], generator, [array[i] for array in real], i)
        if not batch.paired:
            _crop(asked[0], generator, [array[i] for array in asked], i)
    return replace(
        batch,
        photo=real[0],
        photo_mask=real[1],
        photo_background=real[2],
        mask=asked[0],
        background=asked[1],
    )


def _crop(masks: Pixels, generator: np.random.Generator, images: list[Pixels], i: int) -> None:
    """Replace the images in place with the same window of each, at their own size."""
    window = draw_window(masks[i], generator)
    if window is None:
        return
    for image in images:
        cut = cv2.resize(image[window], image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        image[:] = cut if image.ndim == 3 else np.where(cut > 127, 255, 0)


def draw_window(mask: Pixels, generator: np.random.Generator) -> tuple[slice, slice] | None:
    """A square window at random that keeps `MIN_KEPT` of the object; None when none was found."""
    side, area = len(mask), cv2.countNonZero(mask)
    for _ in range(_TRIES):
        length = round(side * generator.uniform(SMALLEST_WINDOW, 0.95))
        top, left = generator.integers(0, side - length + 1, 2)
        window = slice(top, top + length), slice(left, left + length)
        if area and cv2.countNonZero(mask[window]) >= MIN_KEPT * area:
            return window
    return None


def _roughened(batch: Batch, share: float, generators: list[np.random.Generator]) -> Batch:
    """`exact_mask` keeps what `mask` was, `exact_photo_mask` what `photo_mask` was."""
    if share == 0:
        return batch
    chosen = [i for i, generator in enumerate(generators) if generator.random() < share]
    mask, photo_mask = batch.mask.copy(), batch.photo_mask.copy()
    for i in chosen:
        mask[i] = roughen(batch.mask[i], generators[i])
        photo_mask[i] = mask[i] if batch.paired else roughen(photo_mask[i], generators[i])
    return replace(
        batch,
        mask=mask,
        photo_mask=photo_mask,
        exact_mask=batch.mask,
        exact_photo_mask=batch.photo_mask,
    )


def roughen(mask: Pixels, generator: np.random.Generator) -> Pixels:
    """The silhouette as a segmenter might have drawn it; how roughly is drawn too.

    The outline is softened, moved by a smooth random field, widened or narrowed; bits are bitten
    out of it, stuck to it, or missing inside. Lengths follow the object's size. The IoU with `mask`
    is at least `MIN_IOU`; an empty mask stays empty.

    Args:
        mask: uint8 [S, S] in {0, 255}.
    """
    area = cv2.countNonZero(mask)
    if area == 0:
        return mask
    scale = min(len(mask), 2 * area**0.5)
    strength = generator.uniform(0.2, 1.0)
    soft = _moved_outline(mask, scale, strength, generator)
    _blots(soft, mask, scale, strength, generator)
    rough = np.where(soft > 0.5, 255, 0).astype(np.uint8)
    shared = cv2.countNonZero(rough & mask)
    return rough if shared >= MIN_IOU * cv2.countNonZero(rough | mask) else mask


def _moved_outline(
    mask: Pixels, scale: float, strength: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Object where this is above 1/2: the blurred mask plus a field of bumps on its outline."""
    side = len(mask)
    sigma = max(0.6, 0.025 * scale * strength)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), sigma)
    cells = max(3, round(side / (scale * generator.uniform(0.06, 0.2))))
    bumps = generator.standard_normal((cells, cells), np.float32) * 0.35
    bumps += generator.uniform(-0.3, 0.3)
    spread = cv2.resize(bumps, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(soft + 4 * soft * (1 - soft) * spread, np.float32)


def _blots(
    soft: NDArray[np.float32],
    mask: Pixels,
    scale: float,
    strength: float,
    generator: np.random.Generator,
) -> None:
    """Up to three ellipses on the outline, and at times a hole inside, drawn into `soft`."""
    outline = np.flatnonzero(cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
    inside = np.flatnonzero(mask)

    def blot(places: NDArray[Any], value: float, largest: float) -> None:
        y, x = divmod(int(places[generator.integers(len(places))]), len(mask))
        axes = [max(1, round(scale * strength * a)) for a in generator.uniform(0.01, largest, 2)]
        cv2.ellipse(soft, (x, y), axes, float(generator.uniform(0, 180)), 0, 360, value, -1)

    for _ in range(int(generator.integers(0, 4))):
        if len(outline):
            blot(outline, float(generator.random() < 0.5), 0.08)
    if generator.random() < 0.25:
        blot(inside, 0.0, 0.04)
