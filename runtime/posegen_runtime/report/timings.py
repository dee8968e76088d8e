"""Where the time went: seconds by stage, summed and spread, in fixed memory."""

import math
from collections import Counter
from collections.abc import Mapping

ORDER = ("read", "infer", "verify", "paste", "encode", "write")
MAX_STAGES = 12
STEP = math.log(1.01)
"""Seconds are counted in bins 1% wide: a few thousand of them reach from 1 ns to years."""
SHORTEST = 1e-9


class Stage:
    """The seconds that one stage took for each image."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self._lowest = math.inf
        self._highest = 0.0
        self._bins: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        self._lowest = min(self._lowest, seconds)
        self._highest = max(self._highest, seconds)
        self._bins[math.floor(math.log(max(seconds, SHORTEST)) / STEP)] += 1

    def quantile(self, q: float) -> float:
        """The value that a share `q` of the images stays within, to half a percent."""
        rank, seen = math.ceil(q * self.count), 0
        for index in sorted(self._bins):
            seen += self._bins[index]
            if seen >= rank:
                middle = math.exp((index + 0.5) * STEP)
                return min(max(middle, self._lowest), self._highest)
        return 0.0


class Timings:
    """Every stage that rows tell of, at most `MAX_STAGES`."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}

    def add(self, timings: Mapping[str, float]) -> None:
        for name, seconds in timings.items():
            if not 0 <= seconds < math.inf:
                continue
            stage = self._stages.get(name)
            if stage is None:
                if len(self._stages) == MAX_STAGES:
                    continue
                stage = self._stages[name] = Stage()
            stage.add(seconds)

    @property
    def total(self) -> float:
        return sum(stage.total for stage in self._stages.values())

    def stages(self) -> list[tuple[str, Stage]]:
        """In the order of the work; stages of other names after it, as they came."""
        names = [name for name in ORDER if name in self._stages]
        names += [name for name in self._stages if name not in ORDER]
        return [(name, self._stages[name]) for name in names]
