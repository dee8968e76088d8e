"""Arrays that two processes see: slots in a file without a name, which ends with its users."""

import mmap
import os
import tempfile
from typing import NamedTuple

import numpy as np

from posegen_runtime.errors import PoseGenError
from posegen_runtime.rows import Images

_FIRST = 8
"""Slots that are had first; whenever they are too few, there will be twice as many and `_FIRST`
more, since each addition takes a file descriptor."""
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
        self._mapped: list[mmap.mmap] = []
        self._additions = 0
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
            start, length = self._extent(self._additions)
            self._extend(start, length)
            numbers = range(_before(self._additions), _before(self._additions + 1))
            self._additions += 1
            self._free = list(reversed(numbers))
        return self._free.pop()

    def release(self, number: int) -> None:
        # What was used last is used next: it is in the processor's cache.
        self._free.append(number)

    def slot(self, number: int) -> Slot:
        """New arrays on the slot `number`."""
        addition = (number // _FIRST + 1).bit_length() - 1
        while addition >= len(self._mapped):
            start, length = self._extent(len(self._mapped))
            self._mapped.append(mmap.mmap(self._descriptor, length, offset=start))
        place = (number - _before(addition)) * self._slot
        room = np.frombuffer(self._mapped[addition], np.uint8, self._slot, place)
        arrays = (
            np.ndarray(shape, np.uint8, room, start)
            for shape, start in zip(self._shapes, self._starts, strict=True)
        )
        return Slot(room, *arrays)

    def image(self, room: Images) -> Images:
        """The image's array in a slot's room."""
        return np.ndarray(self._shapes[0], np.uint8, room)

    def close(self) -> None:
        """Arrays that are held stay."""
        self._mapped.clear()
        self._now = np.zeros(1, np.int64)

    def _extent(self, addition: int) -> tuple[int, int]:
        """(start, length) in the file, in bytes, of whole pages."""
        pages = _up(_FIRST * self._slot, _PAGE)
        return _PAGE + _before(addition) // _FIRST * pages, pages << addition

    def _extend(self, start: int, length: int) -> None:
        try:
            if hasattr(os, "posix_fallocate"):
                # Writing to a page that cannot be had would kill the process.
                os.posix_fallocate(self._descriptor, start, length)
            else:
                os.pwrite(self._descriptor, bytes(length), start)
        except OSError as error:
            raise PoseGenError(
                f"no memory for images on their way between processes ({error.strerror}); "
                "free some, or take fewer workers"
            ) from error


def _before(addition: int) -> int:
    """Slots that the earlier additions hold."""
    return _FIRST * ((1 << addition) - 1)


def _up(count: int, unit: int) -> int:
    return -(-count // unit) * unit
