"""What the runtime asks of an inference engine."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
"""Tensor name to array."""
Feeds = dict[str, npt.NDArray[Any]]
"""The inputs of a graph by name."""


class Backend(Protocol):
    """One loaded graph. `run` may be called from several threads at once."""

    def run(self, feeds: Arrays) -> dict[str, npt.NDArray[Any]]:
        """Run the graph on `feeds` and return every output by name."""
        ...

    @property
    def description(self) -> str:
        """Engine, version and where it runs, for `run.json`."""
        ...
