"""Heading: does the object face where its pose says? A silhouette alone often cannot tell.

The viewpoint is the unit vector from the object's origin towards the camera, in the object's frame
(x forward, y left, z up). Its azimuth is the heading: 0° the camera looks at the front, 90° at the
left side.
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def azimuth(viewpoint: NDArray[np.float32]) -> Values:
    """Viewpoints [N, 3] → radians in (-π, π] [N]; NaN where the viewpoint is unknown (zeros)."""
    vectors = viewpoint.astype(np.float64)
    return np.where(_known(vectors), np.arctan2(vectors[:, 1], vectors[:, 0]), np.nan)


def elevation(viewpoint: NDArray[np.float32]) -> Values:
    """Viewpoints [N, 3] → degrees above the horizontal [N]; NaN where the viewpoint is unknown."""
    vectors = viewpoint.astype(np.float64)
    degrees = np.degrees(np.arcsin(np.clip(vectors[:, 2], -1, 1)))
    return np.where(_known(vectors), degrees, np.nan)


def heading_error(found: Values, true: Values) -> Values:
    """Absolute difference of angles in radians, the short way round: degrees in [0, 180]."""
    return np.degrees(np.abs(np.angle(np.exp(1j * (found - true)))))


def _known(vectors: Values) -> NDArray[np.bool_]:
    return np.asarray(vectors.any(axis=1))
