"""How many images are made at once: asked for, or chosen while the first ones are made."""

import os
from collections.abc import Callable, Iterator

import msgspec

from posegen_runtime.choices import BackendName

WARM_UP = 1.0
"""Seconds before anything is measured: caches fill and kernels are chosen."""
PROBE = 2.0
"""Seconds for each candidate."""
WORTH = 60.0
"""Seconds that a run must last for the measuring to pay."""
BETTER = 1.03
"""A candidate must be so many times as fast as the usual shape: less is noise."""


class Shape(msgspec.Struct, frozen=True):
    """`lanes` calls of the generator at a time, with `batch` jobs each."""

    lanes: int
    batch: int

    def __str__(self) -> str:
        return f"{self.lanes} lane{'s' * (self.lanes > 1)} of batch {self.batch}"


def available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def candidates(
    backend: BackendName,
    max_batch: int,
    lanes: int | None,
    batch: int | None,
    one_size: bool,
    cores: int | None = None,
) -> list[Shape]:
    """The usual shape first. `one_size`: only its batch, since images depend on it. `cores`: how
    many there are to take, None: all.

    On a CPU one image at a time in one lane for each core, each lane's call on one thread; on a
    GPU two lanes of the largest batch, so that one copies while the other computes.
    """
    cores = cores or available_cores()
    if backend.leaves_cpu:
        usual = Shape(lanes or 2, batch or max_batch)
        others = [
            Shape(2, max(1, max_batch // 2)),
            Shape(3, max_batch),
            Shape(2, max(1, max_batch // 4)),
        ]
    else:
        usual = Shape(lanes or cores, min(batch or 1, max_batch))
        others = [Shape(cores, min(4, max_batch)), Shape(cores + 1, 1)]
    fitting = [
        shape
        for shape in others
        if shape.lanes == (lanes or shape.lanes)
        and shape.batch == (batch or shape.batch)
        and (shape.batch == usual.batch or not one_size)
    ]
    return list(dict.fromkeys([usual, *fitting]))


class Shapes:
    """Hands out shapes, and the best one after the others were tried.

    `planned` images are to be made; where that takes less than `WORTH`, the first of `shapes` is
    taken as it is. `tell` gets the choice in words. The images are the same in every shape.
    """

    def __init__(self, shapes: list[Shape], planned: int, tell: Callable[[str], None]) -> None:
        self._shapes = shapes
        self._planned = planned
        self._tell = tell
        self._rates: list[tuple[Shape, float]] = []
        self.chosen = shapes[0]

    def phases(self) -> Iterator[tuple[Shape, float | None]]:
        """(shape, seconds after which no more is begun, None: till the end). Tell `measured` of
        each one that had an end before asking for the next."""
        usual = self._shapes[0]
        if len(self._shapes) > 1:
            yield usual, WARM_UP
            yield usual, PROBE
            _, rate = self._rates[-1]
            if rate and self._planned / rate > WORTH:
                for shape in self._shapes[1:]:
                    yield shape, PROBE
                self._choose()
        yield self.chosen, None

    def measured(self, shape: Shape, images: int, seconds: float) -> None:
        self._rates.append((shape, images / seconds if seconds else 0.0))

    def _choose(self) -> None:
        usual, *others = self._rates[1:]  # without the warm-up
        best = max(others, key=lambda measured: measured[1])
        if best[1] >= BETTER * usual[1]:
            self.chosen = best[0]
        tried = ", ".join(f"{shape}: {rate:.1f}" for shape, rate in [usual, *others])
        self._tell(f"{self.chosen}, by the first images ({tried} images/s)")
