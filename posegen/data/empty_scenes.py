"""The scene without the object: of the photo's name, or the same view from a camera that stood."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.pairing import Partners
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb

Pixels = NDArray[np.uint8]
SAME_VIEW = 8.0
"""Two pictures show the same place where the median difference of their thumbnails, in levels of
255, is less than this. The median leaves out an object that covers less than half."""
_THUMBNAIL = (32, 32)


class EmptyScene(NamedTuple):
    """RGB uint8 [H, W, 3] of the photo's own size, and the file it came from."""

    file: Path
    pixels: Pixels


class EmptyScenes:
    """The pictures of `--backgrounds`. `refused` says which had the right name and why they were
    of no use."""

    def __init__(self, root: Path, files: Sequence[Path]) -> None:
        self.refused: list[str] = []
        self._files = files
        self._partners = Partners(root, files)
        self._thumbnails: list[tuple[Path, tuple[int, ...], NDArray[np.int16]]] | None = None

    def of(self, photo: Path, rgb: Pixels) -> EmptyScene | None:
        """The one of the photo's name (its path below the photos' folder), else the most similar
        that shows the same view; in either case of the photo's own size. None when there is none.
        """
        named = self._partners.of(photo)
        file = named[0] if len(named) == 1 else self._same_view(rgb)
        if file is None:
            return None
        try:
            pixels = read_rgb(file)
        except PoseGenError as error:
            self.refused.append(str(error))
            return None
        if pixels.shape != rgb.shape:
            self.refused.append(f"{file}: {_size(pixels)} px, the photo has {_size(rgb)}")
            return None
        return EmptyScene(file, pixels)

    def _same_view(self, rgb: Pixels) -> Path | None:
        if self._thumbnails is None:
            self._thumbnails = []
            for file in self._files:
                with suppress(PoseGenError):
                    picture = read_rgb(file)
                    self._thumbnails.append((file, picture.shape, _thumbnail(picture)))
        wanted = _thumbnail(rgb)
        best: tuple[float, Path | None] = (SAME_VIEW, None)
        for file, shape, thumbnail in self._thumbnails:
            if shape == rgb.shape:
                difference = float(np.median(np.abs(thumbnail - wanted)))
                best = min(best, (difference, file), key=lambda each: each[0])
        return best[1]


def _size(rgb: Pixels) -> str:
    return f"{rgb.shape[1]}×{rgb.shape[0]}"


def _thumbnail(rgb: Pixels) -> NDArray[np.int16]:
    return cv2.resize(rgb, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.int16)
