"""The contact sheet of a data set of photos: is this what was meant?"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen_runtime.preview import outlined

Pixels = NDArray[np.uint8]
SHOWN = 24
_ACROSS = 3
_SIDE = 160
_GAP = 4
_HEADER = 18
_COLUMNS = ("photo and mask", "background", "appearance")


def sheet(samples: Sequence[tuple[Pixels, Pixels, Pixels, Pixels]]) -> Pixels:
    """RGB uint8 of (photo, mask, background, appearance), three samples side by side."""
    rows = []
    for start in range(0, len(samples), _ACROSS):
        tiles = [tile for sample in samples[start : start + _ACROSS] for tile in _tiles(*sample)]
        blank = np.zeros((_SIDE + _GAP, _SIDE + _GAP, 3), np.uint8)
        tiles += [blank] * (_ACROSS * len(_COLUMNS) - len(tiles))
        rows.append(np.hstack(tiles))
    header = np.zeros((_HEADER, rows[0].shape[1], 3), np.uint8)
    for column in range(_ACROSS * len(_COLUMNS)):
        at = column * (_SIDE + _GAP) + _GAP, 13
        text = _COLUMNS[column % len(_COLUMNS)]
        cv2.putText(header, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (224, 224, 224), 1)
    return np.vstack([header, *rows])


def _tiles(photo: Pixels, mask: Pixels, background: Pixels, appearance: Pixels) -> list[Pixels]:
    small = cv2.resize(mask, (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST)
    images = [_small(image) for image in (photo, background, appearance)]
    images[0] = np.asarray(outlined(images[0], np.asarray(small, np.uint8)))
    return [np.pad(image, ((0, _GAP), (0, _GAP), (0, 0))) for image in images]


def _small(image: Pixels) -> Pixels:
    resized = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)
