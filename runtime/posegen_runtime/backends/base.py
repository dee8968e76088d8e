"""What the runtime asks of an inference engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

if TYPE_CHECKING:
    from posegen_runtime.arrays.device import DeviceArray

Arrays = Mapping[str, npt.NDArray[Any]]
"""Tensor name to array."""
Feeds = dict[str, npt.NDArray[Any]]
"""The inputs of a graph by name."""


@dataclass(frozen=True)
class Kept:
    """Encoded conditions of one row, where a backend's `keep` put them; `held` is its own."""

    nbytes: int
    held: Any


class OnDevice(Protocol):
    """A loaded graph on arrays that lie on its GPU."""

    @property
    def gpu(self) -> int:
        """Its number."""
        ...

    @property
    def returns_before(self) -> bool:
        """Whether `run` with a stream returns before the work on it is over."""
        ...

    def allocate(self, shape: tuple[int, ...], dtype: str) -> "DeviceArray":
        """New memory, ready for any stream."""
        ...

    def run(
        self,
        feeds: Mapping[str, "npt.NDArray[Any] | DeviceArray"],
        kept: Sequence[Kept],
        out: Mapping[str, "DeviceArray"],
        stream: int | None,
    ) -> None:
        """Run the graph into `out`, which holds every output.

        Arrays on the device are read and written where they lie, once `DeviceArray.stream` came so
        far; those of the host are brought there. Inputs have N rows, or one for all. With `stream`,
        the handle of one of the caller's, the work follows what is on it; without, it is over on
        return.
        """
        ...


class Backend(Protocol):
    """One loaded graph. `run` and `keep` may be called from several threads at once."""

    @property
    def on_device(self) -> OnDevice | None:
        """None for a backend of the host's memory."""
        ...

    def run(
        self, feeds: Arrays, kept: Sequence[Kept] = (), out: Arrays | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Run the graph on `feeds` and return every output by name.

        `kept` are inputs that this backend's `keep` holds already: one for all rows, or one each.
        `out` is where the outputs go, all of them, C-contiguous; a backend of the host's memory
        lets the engine write there itself. None: into new arrays.
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
