"""What the runtime asks of an inference engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
"""Tensor name to array."""
Feeds = dict[str, npt.NDArray[Any]]
"""The inputs of a graph by name."""


@dataclass(frozen=True)
class Kept:
    """Encoded conditions of one row, where a backend's `keep` put them; `held` is its own."""

    nbytes: int
    held: Any


class Backend(Protocol):
    """One loaded graph. `run` and `keep` may be called from several threads at once."""

    def run(self, feeds: Arrays, kept: Sequence[Kept] = ()) -> dict[str, npt.NDArray[Any]]:
        """Run the graph on `feeds` and return every output by name.

        `kept` are inputs that this backend's `keep` holds already: one for all rows, or one each.
        """
        ...

    def keep(self, arrays: Arrays) -> Kept:
        """Inputs of one row that many calls of `run` will need, on the device where there is
        one."""
        ...

    @property
    def description(self) -> str:
        """Engine, version and where it runs, for `run.json`."""
        ...

    @property
    def batches(self) -> int:
        """How many full batches one call of `run` is best given: more than one where it copies
        one while it computes another."""
        ...


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())
