"""`--shard i/n`: one job list over several machines that need not know of each other."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job


class Shard(msgspec.Struct, frozen=True):
    """Every `of`-th job of the whole list, from job `index` - 1 on. `index` runs from 1."""

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """``i/n`` with 1 <= i <= n. Raises `PoseGenError`."""
        index, slash, of = text.partition("/")
        if slash and index.isdecimal() and of.isdecimal() and 1 <= int(index) <= int(of):
            return cls(int(index), int(of))
        raise PoseGenError(f"--shard {text}: give I/N, such as 1/4 to 4/4 on four machines")

    def jobs(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Its own, numbered from 0."""
        for number, job in enumerate(islice(jobs, self.index - 1, None, self.of)):
            yield msgspec.structs.replace(job, number=number)

    def count(self, planned: int) -> int:
        """How many of `planned` jobs are its own."""
        return len(range(self.index - 1, planned, self.of))

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


WHOLE = Shard(1, 1)
