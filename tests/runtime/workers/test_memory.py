import os
from collections.abc import Iterator

import numpy as np
import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.workers.memory import SharedMemory, anonymous_file

SIZE = 5, 7
"""No multiple of anything."""


@pytest.fixture
def file() -> Iterator[int]:
    descriptor = anonymous_file()
    yield descriptor
    os.close(descriptor)


def test_slots_share_nothing_but_what_they_are_for(file: int) -> None:
    there, here = SharedMemory(file, SIZE), SharedMemory(file, SIZE)
    numbers = [there.reserve() for _ in range(100)]
    assert len(set(numbers)) == 100
    for number in numbers:
        for index, array in enumerate(there.slot(number)[1:]):
            array[:] = (4 * number + index) % 251
    for number in numbers:
        slot = here.slot(number)
        assert slot.mask.shape == SIZE
        for index, array in enumerate(slot[1:]):
            assert np.unique(array).tolist() == [(4 * number + index) % 251]
        assert here.image(slot.room).shape == slot.image.shape == (*SIZE, 3)
        assert slot.image.base is slot.mask.base is slot.room


def test_what_is_released_is_used_again(file: int) -> None:
    memory = SharedMemory(file, SIZE)
    numbers = [memory.reserve() for _ in range(30)]
    length = os.fstat(file).st_size
    for _ in range(100):
        memory.release(numbers.pop())
        numbers.append(memory.reserve())
    assert len(set(numbers)) == 30
    assert os.fstat(file).st_size == length


def test_the_other_side_sees_what_is_being_done(file: int) -> None:
    there, here = SharedMemory(file, SIZE), SharedMemory(file, SIZE)
    assert here.task == 0
    there.task = 2**40
    assert here.task == 2**40


def test_no_memory_is_an_error_and_no_death(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(PoseGenError, match=r"between processes \(No space left on device\); free"):
        SharedMemory(file, SIZE).reserve()
