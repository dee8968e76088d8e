"""Colour: does the object wear the appearance that was given? Distances are CIELAB's ΔE*76."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels

Lab = NDArray[np.float32]
Values = NDArray[np.float64]

_LEVELS = np.arange(256) / 255
_LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
"""sRGB levels → linear light (IEC 61966-2-1)."""
_PRIMARIES = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
_TO_XYZ = (_PRIMARIES / _PRIMARIES.sum(axis=1, keepdims=True)).T.astype(np.float32)
"""Linear light → X, Y, Z as ratios of white's, which is (1, 1, 1) in both."""
_EDGE = np.float32(6 / 29)


def to_lab(colours: Pixels) -> Lab:
    """sRGB uint8 [..., 3] → L*, a*, b* (D65) float32 [..., 3]; L* in [0, 100].

    By the formulas: OpenCV's own conversion looks them up in a coarse table, 0.2 off in L*.
    """
    ratios = _LINEAR[colours] @ _TO_XYZ
    root = np.where(ratios > _EDGE**3, np.cbrt(ratios), ratios / (3 * _EDGE**2) + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1, dtype=np.float32)


def inside(images: Pixels, masks: Pixels) -> list[Lab]:
    """The pixels inside each silhouette, [K, 3] in CIELAB: of images uint8 [N, H, W, 3] and masks
    uint8 [N, H, W] in {0, 255}. Pixels of two images under the same mask stand in the same order.
    """
    return [to_lab(image[mask > 0]) for image, mask in zip(images, masks, strict=True)]


def mean_colour(objects: Sequence[Lab]) -> Values:
    """[N, 3] of N objects; NaN of an empty one."""
    return np.array([_mean(pixels) for pixels in objects])


def distance(a: Values, b: Values) -> Values:
    """ΔE*76 of colours [N, 3], one value each [N]."""
    return np.asarray(np.linalg.norm(a - b, axis=-1))


def colour_error(objects: Sequence[Lab], photos: Sequence[Lab]) -> Values:
    """Mean ΔE*76 per pixel between each object and its photo, [N]; NaN of an empty one."""
    pairs = zip(objects, photos, strict=True)
    return np.array([_mean(np.linalg.norm(a - b, axis=1)) for a, b in pairs])


def flat_error(photos: Sequence[Lab]) -> Values:
    """What `colour_error` would be of objects painted flat in their photo's own mean colour."""
    flat = [_mean(photo)[None].astype(np.float32) for photo in photos]
    return colour_error(flat, photos)


def _mean(values: NDArray[np.floating]) -> Values:
    if len(values) == 0:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.mean(axis=0, dtype=np.float64))
