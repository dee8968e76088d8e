"""An empty scene for a photo that has none: the object is filled in, and so are other regions.

Without decoys, a filled region in the background would say where the object goes. They are filled
in the photo too: a region that is filled in the background alone would tell real images, which
differ from their background there, from generated ones, which Eq. 6 makes equal to it.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

RIM = 0.035
"""How far the filled region reaches beyond the silhouette, as a share of the image's side: soft
edges, what a segmenter left out, and the darkest of the shadow."""
_DETAIL = 2.0
"""Finer than this, in pixels, a region's own structure is replaced with noise of its strength."""
_GRAIN = 8.0
"""The strongest noise, mean size in levels: a brick wall's detail is no grain."""
_SMALLEST_DECOY = 0.01
_TRIES = 8


def emptied(
    photo: Pixels, mask: Pixels, decoys: Pixels, generator: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A background b for a photo without an empty scene, and the photo to train on with it.

    b depends on nothing under the silhouette, grown by `RIM`. The photo keeps its object and
    fades into b over the rim, so that a contact shadow stays but no border shows where the filling
    begins; further out the two are equal.

    Args:
        photo: RGB uint8 [S, S, 3].
        mask: its silhouette, uint8 [S, S] in {0, 255}.
        decoys: further pixels to fill in both, of the same kind, apart from `mask`.

    Returns:
        (photo, background), RGB uint8 [S, S, 3].
    """
    radius = max(2.0, RIM * len(mask))
    distance = _distance(mask)
    hole = np.maximum(decoys, _up_to(distance, radius))
    background = fill(photo, hole, generator)
    share = np.where(decoys > 0, 0, np.clip(1 - distance / radius, 0, 1))[..., None]
    mixed = background + share * (photo.astype(np.float32) - background)
    return np.rint(mixed).astype(np.uint8), background


def grown(mask: Pixels) -> Pixels:
    """The silhouette with its rim, uint8 [S, S] in {0, 255}; an empty one stays empty."""
    if not mask.any():
        return mask
    return _up_to(_distance(mask), max(2.0, RIM * len(mask)))


def draw_decoys(mask: Pixels, others: Sequence[Pixels], generator: np.random.Generator) -> Pixels:
    """One or two silhouettes of `others`, mirrored, shrunk and moved at random, outside the grown
    `mask`. uint8 [S, S] in {0, 255}; empty where the object leaves no room."""
    side = len(mask)
    own, drawn = grown(mask), np.zeros_like(mask)
    for _ in range(int(generator.integers(1, 3))):
        for _ in range(_TRIES):
            other = others[int(generator.integers(len(others)))]
            moved = grown(_moved(other, generator))
            moved[own > 0] = 0
            if cv2.countNonZero(moved) >= _SMALLEST_DECOY * side * side:
                drawn = np.maximum(drawn, moved)
                break
    return drawn


def _moved(mask: Pixels, generator: np.random.Generator) -> Pixels:
    side = len(mask)
    left, top, width, height = cv2.boundingRect(mask)
    scale = generator.uniform(0.4, 1.0)
    mirror = -1.0 if generator.random() < 0.5 else 1.0
    x, y = generator.uniform(0, side, 2)
    matrix = np.array(
        [
            [mirror * scale, 0, x - mirror * scale * (left + width / 2)],
            [0, scale, y - scale * (top + height / 2)],
        ]
    )
    return np.asarray(cv2.warpAffine(mask, matrix, (side, side), flags=cv2.INTER_NEAREST), np.uint8)


def fill(image: Pixels, hole: Pixels, generator: np.random.Generator) -> Pixels:
    """RGB uint8 [S, S, 3] with the pixels of `hole` (uint8 [S, S], not 0) made up from the rest.

    Colours spread inwards from the border, coarse ones further. Edges and texture are borrowed from
    the rows beside: a model that sees nothing but smooth backgrounds under its object never learns
    to cover them, and lets the lines of a real scene shine through. Where nothing can be borrowed,
    there is noise as strong as the fine detail around. Where everything is a hole the result is
    grey.
    """
    known = (hole == 0).astype(np.float32)
    if not known.any():
        return np.full_like(image, 128)
    values = image.astype(np.float32) * known[..., None]
    smooth = _relaxed(_spread(values, known), known)
    # Detail is measured only where no hole is near enough to count as detail itself.
    weight = cv2.GaussianBlur(known, (0, 0), _DETAIL)
    detail = np.abs(values - cv2.GaussianBlur(values, (0, 0), _DETAIL)).mean(axis=2)
    inner = (weight > 0.999).astype(np.float32)
    # Roots are averaged, so that a few strong edges do not make grain of what is smooth.
    roots = np.sqrt(detail * inner)[..., None]
    strength = np.minimum(_spread(roots, inner) ** 2, _GRAIN) if inner.any() else 0.0
    noise = cv2.GaussianBlur(
        generator.standard_normal(hole.shape, np.float32), (0, 0), 0.6
    )[..., None]  # fmt: skip
    noise *= 1.25 / noise.std()  # mean |x| of a normal x is 0.8 of its deviation
    structure, found = _borrowed(np.where(known[..., None] > 0, values, smooth), known, generator)
    texture = np.where(found[..., None] > 0, structure, noise * strength)
    filled = np.where(known[..., None] > 0, values, smooth + texture)
    return np.rint(filled).clip(0, 255).astype(np.uint8)


def _borrowed(
    whole: Floats, known: Floats, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Structure for the hole, mirrored and moved sideways so that most of it is known; [S, S, 3],
    and [S, S] with 1 where it is."""
    side = whole.shape[1]
    structure = whole - cv2.GaussianBlur(whole, (0, 0), side / 16)
    mirrored = np.ascontiguousarray(known[:, ::-1])
    shifts = generator.integers(side, size=_TRIES)
    covered = [float((np.roll(mirrored, s, axis=1) * (1 - known)).sum()) for s in shifts]
    shift = int(shifts[int(np.argmax(covered))])
    return np.roll(structure[:, ::-1], shift, axis=1), np.roll(mirrored, shift, axis=1)


def _spread(values: Floats, known: Floats) -> Floats:
    """`values` [H, W, C] where `known` [H, W] is 1; elsewhere the finest mean of known ones that
    covers the place ("push-pull")."""
    if known.all():
        return values
    height, width = known.shape
    size = max(1, (width + 1) // 2), max(1, (height + 1) // 2)
    weights = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(values * known[..., None], size, interpolation=cv2.INTER_AREA)
    coarse_known = (weights > 0).astype(np.float32)
    means = sums.reshape(*weights.shape, -1) / np.maximum(weights, 1e-6)[..., None]
    coarse = _spread(np.asarray(means, np.float32), coarse_known)
    upper = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(known[..., None] > 0, values, upper.reshape(height, width, -1))


def _relaxed(values: Floats, known: Floats) -> Floats:
    """Steps that the pyramid left in what is not known are smoothed out, the widest first."""
    for sigma in (6.0, 3.0, 1.5, 1.0):
        blurred = cv2.GaussianBlur(values, (0, 0), sigma)
        values = np.where(known[..., None] > 0, values, blurred.reshape(values.shape))
    return values


def _distance(mask: Pixels) -> Floats:
    """Pixels to the silhouette, 0 inside."""
    return np.asarray(cv2.distanceTransform(cv2.bitwise_not(mask), cv2.DIST_L2, 5), np.float32)


def _up_to(distance: Floats, radius: float) -> Pixels:
    return np.where(distance <= radius, 255, 0).astype(np.uint8)
