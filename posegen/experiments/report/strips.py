"""Pictures in a row, as every figure with pictures shows them."""

from dataclasses import dataclass

import numpy as np

from posegen.data.prepared import Pixels
from posegen_runtime.images import resize

SMALL, LARGE = 128, 160
"""Pixels: smaller pictures are enlarged by a whole number up to the one, larger ones shrunk to the
other."""


@dataclass(frozen=True)
class Strip:
    """`pictures` uint8 RGB [M, S, S, 3] and what each shows, under a line of text."""

    label: str
    caption: str
    pictures: Pixels
    names: tuple[str, ...]


def strip(label: str, caption: str, pictures: Pixels, names: tuple[str, ...]) -> Strip:
    """`pictures` uint8 [M, S, S, 3], or masks uint8 [M, S, S], at the size they are shown at."""
    coloured = np.repeat(pictures[..., None], 3, axis=3) if pictures.ndim == 3 else pictures
    return Strip(label, caption, np.stack([_sized(each) for each in coloured]), names)


def _sized(picture: Pixels) -> Pixels:
    """Pixels stay pixels: a figure about sharpness must not blur."""
    side = picture.shape[0]
    if side > LARGE:
        return resize(picture, (LARGE, LARGE))
    times = max(1, SMALL // side)
    return picture.repeat(times, axis=0).repeat(times, axis=1)
