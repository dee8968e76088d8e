"""Which jobs of one list each of several machines makes."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import msgspec

from posegen_runtime.errors import PoseGenError

T = TypeVar("T")


class Part(msgspec.Struct, frozen=True):
    """Every `count`-th job, from the one at `index` on: 0 to `count` - 1."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """`--shard I/N`, where I counts from 1. Raises `PoseGenError`."""
        first, slash, second = (word.strip() for word in text.partition("/"))
        numbers = [int(word) for word in (first, second) if word.isascii() and word.isdecimal()]
        if not slash or len(numbers) != 2 or not 1 <= numbers[0] <= numbers[1]:
            raise PoseGenError(f"--shard {text}: give I/N, such as 2/4, with I from 1 to N")
        return cls(numbers[0] - 1, numbers[1])

    def __str__(self) -> str:
        """As the user gives it."""
        return f"{self.index + 1}/{self.count}"

    def of(self, jobs: Iterable[T]) -> Iterator[T]:
        """The jobs of this part, in their order."""
        return islice(jobs, self.index, None, self.count)

    def size(self, jobs: int) -> int:
        """How many those are of a list of `jobs`."""
        return len(range(self.index, jobs, self.count))

    def number(self, job: int) -> int:
        """The place in the whole list of the part's job number `job`, both from 0."""
        return job * self.count + self.index


WHOLE = Part(0, 1)
