"""The one preprocessing of silhouettes, for training, calibration and generation alike.

Simulators and labelling tools write {0, 255}, {0, 1}, instance ids, palettes and alpha. What a
folder means is decided once, from a sample of it (`choose_reading`), and then holds for every file.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path

import cv2
import msgspec
import numpy as np

from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.maskfile import MaskChannel, read_mask_file
from posegen_runtime.masksample import choose_channel, choose_values, look_at

__all__ = [
    "MaskChannel",
    "MaskReading",
    "MaskValues",
    "Silhouette",
    "choose_reading",
    "parse_mask_values",
]

CLEAR = 1 / 8
"""Values within this share of the range from black or white are clearly black or white."""

MAX_IDS = 1000
"""A file with more values than that is a photo or a depth map rather than a mask of instances."""


class MaskValues(str, Enum):
    """Which values of a mask file are the object."""

    AUTO = "auto"
    NONZERO = "nonzero"
    HALF = "half"
    """Above half of the type's range: > 127, or > 32767 with 16 bits."""
    ID = "id"
    """One value, the object's id."""
    EACH = "each"
    """Every non-zero value is a silhouette of its own."""


class Silhouette(msgspec.Struct, frozen=True, kw_only=True):
    """One silhouette of a mask file."""

    mask: np.ndarray
    """uint8 [H, W] in {0, 255}; may be empty."""
    name_suffix: str = ""
    """Appended to the file's name to name this silhouette: "_7" for id 7 under ``each``."""
    unclear_share: float
    """Share of the file's pixels neither clearly black nor clearly white; 0 where ids are exact."""

    @property
    def white_share(self) -> float:
        """Share of the pixels that are object; a mostly white mask may be inverted."""
        return cv2.countNonZero(self.mask) / self.mask.size


class MaskReading(msgspec.Struct, frozen=True, kw_only=True):
    """How the files of one folder are read: nothing is left to guess."""

    values: MaskValues
    channel: MaskChannel
    object_id: int | None = None
    explanation: str = ""
    """One line on what was chosen and why."""

    def read(self, path: str | Path) -> list[Silhouette]:
        """All of `silhouettes` at once."""
        return list(self.silhouettes(path))

    def silhouettes(self, path: str | Path) -> Iterator[Silhouette]:
        """The silhouettes of one file: one, or under ``each`` one for every id.

        One at a time, because hundreds of full size would fill the memory. A file without any
        object gives one empty silhouette. Raises `MaskRejected`, naming the file, when it cannot
        be read or not in this way, or holds more than `MAX_IDS` ids.
        """
        try:
            file = read_mask_file(path)
        except PoseGenError as error:
            raise MaskRejected(str(error)) from error
        grey = file.channel(self.channel)
        if self.values in (MaskValues.ID, MaskValues.EACH):
            if file.lossy:
                raise MaskRejected(
                    f"{path}: a lossy format keeps no exact ids; use --mask-values half"
                )
            yield from self._by_id(path, grey)
            return
        if self.values is MaskValues.NONZERO:
            mask = _binary(grey, 0)
            unclear = _unclear_share(grey) if file.lossy else 0.0
        else:
            mask = _binary(grey, np.iinfo(grey.dtype).max // 2)
            unclear = _unclear_share(grey)
        yield Silhouette(mask=mask, unclear_share=unclear)

    def _by_id(self, path: str | Path, grey: np.ndarray) -> Iterator[Silhouette]:
        if self.values is MaskValues.ID:
            assert self.object_id is not None
            yield Silhouette(mask=_equal(grey, self.object_id), unclear_share=0.0)
            return
        ids = [int(i) for i in np.flatnonzero(np.bincount(grey.ravel())) if i]
        if len(ids) > MAX_IDS:
            raise MaskRejected(
                f"{path}: holds {len(ids)} ids; is this an instance mask? if not, use "
                "--mask-values half or nonzero"
            )
        if not ids:
            yield Silhouette(mask=np.zeros(grey.shape, np.uint8), unclear_share=0.0)
        for i in ids:
            yield Silhouette(mask=_equal(grey, i), name_suffix=f"_{i}", unclear_share=0.0)


def parse_mask_values(text: str) -> tuple[MaskValues, int | None]:
    """``--mask-values``: a word of `MaskValues`, or an id from 1 to 65535.

    Raises `PoseGenError` for anything else.
    """
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return MaskValues.ID, int(text)
    words = [value.value for value in MaskValues if value is not MaskValues.ID]
    if text not in words:
        raise PoseGenError(
            f"--mask-values {text}: give {', '.join(words)} or an object's id (1 to 65535)"
        )
    return MaskValues(text), None


def choose_reading(
    paths: Sequence[str | Path],
    values: str = "auto",
    channel: MaskChannel | str = MaskChannel.AUTO,
    several: bool = True,
) -> MaskReading:
    """Decide how a folder of masks is read, from at most `masksample.SAMPLE` of its files.

    ``values`` is what `parse_mask_values` takes. Where ``several`` objects in a file are of no use,
    ``each`` is not advised. Raises `PoseGenError` when none of the sampled
    files can be read, or when there are several ids and the object's must be named.
    """
    chosen, object_id = parse_mask_values(values)
    channel = MaskChannel(channel)
    if chosen is not MaskValues.AUTO and channel is not MaskChannel.AUTO:
        return MaskReading(
            values=chosen,
            channel=channel,
            object_id=object_id,
            explanation=_read_as(chosen, channel, object_id),
        )
    files = look_at(paths)
    why: list[str] = []
    if channel is MaskChannel.AUTO:
        channel, reason = choose_channel(files)
        why.append(reason)
    if chosen is MaskValues.AUTO:
        word, reason = choose_values(files, channel, several)
        chosen = MaskValues(word)
        why.append(reason)
    return MaskReading(
        values=chosen,
        channel=channel,
        object_id=object_id,
        explanation=f"{_read_as(chosen, channel, object_id)}: {'; '.join(why)} (looked at "
        f"{len(files)} of {len(paths)} files)",
    )


def _read_as(values: MaskValues, channel: MaskChannel, object_id: int | None) -> str:
    return f"masks read as --mask-values {object_id or values.value} --mask-channel {channel.value}"


def _binary(grey: np.ndarray, threshold: int) -> np.ndarray:
    """uint8 {0, 255}: above the threshold."""
    if grey.dtype == np.uint8:
        return cv2.threshold(grey, threshold, 255, cv2.THRESH_BINARY)[1]
    return (grey > threshold).astype(np.uint8) * np.uint8(255)


def _equal(grey: np.ndarray, value: int) -> np.ndarray:
    return (grey == value).astype(np.uint8) * np.uint8(255)


def _unclear_share(grey: np.ndarray) -> float:
    full = int(np.iinfo(grey.dtype).max)
    low, high = int(full * CLEAR) + 1, full - int(full * CLEAR) - 1
    return cv2.countNonZero(cv2.inRange(grey, low, high)) / grey.size
