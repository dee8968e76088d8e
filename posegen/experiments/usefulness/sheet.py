"""The picture of the sets: a row of training images for each, evenly spaced, not chosen."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from posegen.experiments.usefulness.renders import Pixels
from posegen.judges.augment import Views
from posegen_runtime.images import write_png

SHOWN = 12
_BAND = 14
_GAP = 2


def write_sheet(rows: Mapping[str, Views], path: Path) -> None:
    """A PNG of `SHOWN` images of each of `rows`, titled."""
    write_png(path, np.concatenate([_row(title, views) for title, views in rows.items()]))


def _row(title: str, views: Views) -> Pixels:
    places = np.linspace(0, len(views) - 1, SHOWN).round().astype(int)
    size = views.image.shape[1]
    band = np.full((_BAND, SHOWN * (size + _GAP), 3), 255, np.uint8)
    cv2.putText(band, title, (2, 10), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 0, 0), 1, cv2.LINE_AA)
    edge = np.full((size, _GAP, 3), 255, np.uint8)
    return np.concatenate([band, np.hstack([p for i in places for p in (views.image[i], edge)])])
