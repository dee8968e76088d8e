"""The scene without the object: of the photo's name, or the same view from a camera that stood."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from posegen.data.pairing import Partners, name_alone
from posegen.data.photo_checks import Usable, cut
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
    """The pictures of `--backgrounds` for `photos`, paths below the photos' folder. `refused` says
    which had the right name and why they were of no use."""

    def __init__(self, root: Path, files: Sequence[Path], photos: Sequence[Path]) -> None:
        self.refused: list[str] = []
        self._namesakes = Counter(name_alone(photo) for photo in photos)
        self._files = files
        self._partners = Partners(root, files)
        self._thumbnails: list[tuple[Path, tuple[int, ...], NDArray[np.int16]]] | None = None

    def of(self, usable: Usable, rgb: Pixels) -> EmptyScene | None:
        """The one of the photo's name, else the most similar; in either case of the photo's own
        size and the same view. None when there is none.

        The name is the path below the photos' folder; the file's name alone counts where no other
        photo has it. `rgb` are the photo's pixels, uint8 [H, W, 3].
        """
        alone = self._namesakes[name_alone(usable.photo)] < 2
        named = self._partners.of(usable.photo, by_name=alone)
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
        if named == [file] and not _agree(usable, rgb, pixels):
            self.refused.append(f"{file}: shows another view than the photo {usable.photo}")
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


def _agree(usable: Usable, rgb: Pixels, scene: Pixels) -> bool:
    """Whether the two show the same beside the object, in the part that is cut out. True where
    nothing is beside it."""
    photo, outside = cut(rgb, usable.placement)
    empty, _ = cut(scene, usable.placement)
    hidden = cv2.resize(np.maximum(usable.mask, outside), _THUMBNAIL, interpolation=cv2.INTER_AREA)
    difference = np.abs(_thumbnail(photo) - _thumbnail(empty))[hidden == 0]
    return difference.size == 0 or float(np.median(difference)) < SAME_VIEW


def _size(rgb: Pixels) -> str:
    return f"{rgb.shape[1]}×{rgb.shape[0]}"


def _thumbnail(rgb: Pixels) -> NDArray[np.int16]:
    return cv2.resize(rgb, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.int16)
