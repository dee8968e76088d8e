"""Arrays that two processes see: slots in a file without a name, which ends with its users."""

import mmap
import os
import tempfile
from typing import NamedTuple

import numpy as np

from posegen_runtime.errors import PoseGenError
from posegen_runtime.rows import Images

_SEGMENT = 16
"""Slots that are added at a time."""
_ALIGNED = 64
_PAGE = mmap.ALLOCATIONGRANULARITY


class Slot(NamedTuple):
    """Room for the arrays of one image, uint8: `mask` [h, w], the others [h, w, 3]."""

    room: Images
    """All of it, [bytes]. It lives as long as any array in it."""
    image: Images
    mask: Images
    appearance: Images
    background: Images


def anonymous_file() -> int:
    """A descriptor of an empty file that no folder lists.

    Memory where the system has such files, which no limit of /dev/shm holds down; else in the
    folder for temporary files.
    """
    if hasattr(os, "memfd_create"):
        try:
            return os.memfd_create("posegen", os.MFD_CLOEXEC)
        except OSError:
            pass  # forbidden in some sandboxes
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class SharedMemory:
    """As many slots as are asked for, in the file `descriptor`, for images of `size` = (h, w).

    One process reserves slots, by their numbers; each maps those that it looks at.
    """

    def __init__(self, descriptor: int, size: tuple[int, int]) -> None:
        self._descriptor = descriptor
        height, width = size
        grey, colour = (height, width), (height, width, 3)
        self._shapes = colour, grey, colour, colour
        starts = [0]
        for shape in self._shapes:
            starts.append(starts[-1] + _up(int(np.prod(shape)), _ALIGNED))
        self._starts, self._slot = starts[:-1], starts[-1]
        self._segment = _up(_SEGMENT * self._slot, _PAGE)
        self._mapped: list[mmap.mmap] = []
        self._reserved = 0
        self._free: list[int] = []
        if os.fstat(descriptor).st_size < _PAGE:
            os.ftruncate(descriptor, _PAGE)
        self._now = np.frombuffer(mmap.mmap(descriptor, _PAGE), np.int64, 1)

    @property
    def task(self) -> int:
        """Number of what the other process works on; 0: nothing."""
        return int(self._now[0])

    @task.setter
    def task(self, number: int) -> None:
        self._now[0] = number

    def reserve(self) -> int:
        """A slot that nobody uses. Raises `PoseGenError` where there is no memory for it."""
        if not self._free:
            first = self._reserved * _SEGMENT
            self._extend(_PAGE + self._reserved * self._segment)
            self._reserved += 1
            self._free = list(range(first + _SEGMENT - 1, first - 1, -1))
        return self._free.pop()

    def release(self, number: int) -> None:
        # What was used last is used next: it is in the processor's cache.
        self._free.append(number)

    def slot(self, number: int) -> Slot:
        """New arrays on the slot `number`."""
        segment, place = divmod(number, _SEGMENT)
        while segment >= len(self._mapped):
            start = _PAGE + len(self._mapped) * self._segment
            self._mapped.append(mmap.mmap(self._descriptor, self._segment, offset=start))
        room = np.frombuffer(self._mapped[segment], np.uint8, self._slot, place * self._slot)
        arrays = (
            np.ndarray(shape, np.uint8, room, start)
            for shape, start in zip(self._shapes, self._starts, strict=True)
        )
        return Slot(room, *arrays)

    def image(self, room: Images) -> Images:
        """The image's array in a slot's room."""
        return np.ndarray(self._shapes[0], np.uint8, room)

    def _extend(self, start: int) -> None:
        try:
            if hasattr(os, "posix_fallocate"):
                # Writing to a page that cannot be had would kill the process.
                os.posix_fallocate(self._descriptor, start, self._segment)
            else:
                os.pwrite(self._descriptor, bytes(self._segment), start)
        except OSError as error:
            raise PoseGenError(
                f"no memory for images on their way between processes ({error.strerror}); "
                "free some, or take fewer workers"
            ) from error


def _up(count: int, unit: int) -> int:
    return -(-count // unit) * unit
