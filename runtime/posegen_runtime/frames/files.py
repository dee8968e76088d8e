"""Full-size masks and backgrounds of frames, for who reads crops and for who pastes them."""

from collections.abc import Container, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from posegen_runtime.cache import BoundedCache
from posegen_runtime.frames.sizes import check_large_enough
from posegen_runtime.images import cover_crop, read_rgb
from posegen_runtime.jobs import Job
from posegen_runtime.masks import MaskReading, Silhouette
from posegen_runtime.sources import Source

Image = npt.NDArray[np.uint8]

ROOM = 64 * 2**20
"""Bytes of backgrounds that are kept: ten frames of 1920×1080."""

Members = tuple[tuple[str, Source], ...]
"""The masks of one frame, each with the name of its object."""


class FrameFiles:
    """Safe to use from several threads. Pickled, it arrives with nothing kept.

    `frames`: the masks of each frame that has several, by the name that stands for it in a job.
    """

    def __init__(self, reading: MaskReading, frames: Mapping[str, Members]) -> None:
        self._given = reading, frames
        self._backgrounds: BoundedCache[tuple[str, tuple[int, int]], Image]
        self._backgrounds = BoundedCache(ROOM, lambda image: image.nbytes)

    def __reduce__(self) -> tuple[type, tuple[MaskReading, Mapping[str, Members]]]:
        return FrameFiles, self._given

    def members(self, job: Job) -> Members:
        """The mask files that a job is about: its own, or those of its frame."""
        return self._given[1].get(job.mask.name) or (("", job.mask),)

    def silhouettes(self, job: Job, wanted: Container[str]) -> Iterator[tuple[str, Silhouette]]:
        """Name and full-size silhouette of each of the `wanted` objects, one at a time.

        Raises `MaskRejected` at a mask that cannot be read.
        """
        reading = self._given[0]
        for name, source in self.members(job):
            if name and name not in wanted:
                continue
            for silhouette in reading.silhouettes(source.path):
                whole = name + silhouette.name_suffix.lstrip("_")
                if whole in wanted:
                    yield whole, silhouette

    def background(self, source: Source, size: tuple[int, int]) -> Image:
        """uint8 RGB [H, W, 3] of `size` = (H, W), cover-cropped where the file has another one.
        Not to be written to. Raises `PoseGenError` where it is too small for that."""
        key = str(source.path), size
        return self._backgrounds.get_or_make(key, lambda: _fitted(source, size))


def _fitted(source: Source, size: tuple[int, int]) -> Image:
    image = read_rgb(source.path)
    given = image.shape[0], image.shape[1]
    check_large_enough(source, given, size)
    return image if given == size else cover_crop(image, size)
