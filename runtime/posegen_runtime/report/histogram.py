"""Counting values as they come, in fixed memory, and drawing the counts as bars."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from posegen_runtime.report import text

FINE = 400
"""Bins that a range is counted in; what is drawn joins some of them."""
WIDTH, HEIGHT = 430, 190
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 16, 40
GAP = 0.12
"""Of a bar's width."""


class Histogram:
    """Counts of values in [low, high], by a class such as "done"; others count at the nearer
    end."""

    def __init__(self, low: float, high: float) -> None:
        self._low = low
        self._high = high
        self._bins: dict[str, Counter[int]] = {}
        self._sum = 0.0
        self.count = 0

    def add(self, value: float, kind: str) -> None:
        place = FINE * (value - self._low) / (self._high - self._low)
        index = min(max(math.floor(place), 0), FINE - 1)
        self._bins.setdefault(kind, Counter())[index] += 1
        self._sum += value
        self.count += 1

    @property
    def mean(self) -> float:
        return self._sum / max(1, self.count)

    def quantile(self, q: float) -> float:
        """The value that a share `q` stays below, to the width of a fine bin."""
        counts: Counter[int] = Counter()
        for bins in self._bins.values():
            counts.update(bins)
        rank, seen = math.ceil(q * self.count), 0
        for index in sorted(counts):
            seen += counts[index]
            if seen >= rank:
                break
        else:
            return math.nan
        return self._low + (index + 0.5) * (self._high - self._low) / FINE

    def above(self, value: float) -> int:
        """How many are higher, to the width of a fine bin."""
        first = math.ceil(FINE * (value - self._low) / (self._high - self._low))
        return sum(n for bins in self._bins.values() for index, n in bins.items() if index >= first)

    def bars(self, kinds: Sequence[str], count: int) -> list["Bar"]:
        """`count` bars, a divisor of `FINE`; only those of `kinds`."""
        joined = FINE // count
        step = (self._high - self._low) / count
        found = []
        for bar in range(count):
            fine = range(bar * joined, (bar + 1) * joined)
            bins = [self._bins.get(kind, Counter()) for kind in kinds]
            heights = [float(sum(counts[index] for index in fine)) for counts in bins]
            found.append(Bar(self._low + bar * step, self._low + (bar + 1) * step, heights))
        return found


class LogHistogram:
    """The same for positive values of any size, in bins 1% wide."""

    STEP = math.log(1.01)
    MAX_BINS = 10_000

    def __init__(self) -> None:
        self._bins: dict[str, Counter[int]] = {}

    def add(self, value: float, kind: str) -> None:
        if 0 < value < math.inf:
            bins = self._bins.setdefault(kind, Counter())
            index = math.floor(math.log(value) / self.STEP)
            if index in bins or len(bins) < self.MAX_BINS:
                bins[index] += 1

    def bars(self, kinds: Sequence[str], most: int = 12) -> list["Bar"]:
        """At most `most` bars of a round width, from the smallest value to the largest."""
        values = {
            index: math.exp((index + 0.5) * self.STEP)
            for bins in self._bins.values()
            for index in bins
        }
        if not values:
            return []
        low, high = min(values.values()), max(values.values())
        width = _round_up(max((high - low) / (most - 1), high / 1000))
        first = math.floor(low / width)
        bars = [
            Bar(index * width, (index + 1) * width, [0.0] * len(kinds))
            for index in range(first, math.floor(high / width) + 1)
        ]
        for row, kind in enumerate(kinds):
            for index, number in self._bins.get(kind, {}).items():
                bars[math.floor(values[index] / width) - first].heights[row] += number
        return bars


class Bar(msgspec.Struct, frozen=True):
    """From `low` to `high`; one height for each class, standing on each other."""

    low: float
    high: float
    heights: list[float]


def drawn(
    title: str,
    bars: Sequence[Bar],
    kinds: Sequence[str],
    unit: str = "",
    every: int = 1,
    stacked: bool = True,
    mark: float | None = None,
) -> str:
    """Bars as SVG. `kinds` are names in `style.CSS`; `every`: so many bars from one label of the
    axis to the next. Not stacked, the classes are lines from the axis of their own."""
    top = max((sum(b.heights) if stacked else max(b.heights) for b in bars), default=0) or 1
    wide = (WIDTH - LEFT - RIGHT) / len(bars)
    floor = HEIGHT - BOTTOM
    parts = [
        f'<svg role="img" aria-label="{text.escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path class="axis" d="M{LEFT} {floor}H{WIDTH - RIGHT}"/>'
    ]
    for number, bar in enumerate(bars):
        x, y = LEFT + number * wide, float(floor)
        for kind, value in zip(kinds, bar.heights, strict=True):
            height = (floor - TOP) * value / top
            start = y - height if stacked else floor - height
            if value:
                parts.append(
                    f'<rect class="bar-{kind}" x="{x + GAP * wide / 2:.1f}" y="{start:.1f}" '
                    f'width="{(1 - GAP) * wide:.1f}" height="{height:.1f}"/>'
                )
            y -= height if stacked else 0
        if number % every == 0 and number + every <= len(bars):
            parts.append(_label(x, floor, bar.low, unit))
    parts.append(_label(WIDTH - RIGHT, floor, bars[-1].high, unit, "end"))
    if mark is not None:
        share = (mark - bars[0].low) / (bars[-1].high - bars[0].low)
        x = LEFT + share * (WIDTH - LEFT - RIGHT)
        parts.append(f'<path class="pause" d="M{x:.1f} {TOP - 8}V{floor}"/>')
    return "".join([*parts, "</svg>"])


def _label(x: float, floor: float, value: float, unit: str, side: str = "start") -> str:
    return f'<text class="{side} small" x="{x:.1f}" y="{floor + 17}">{value:.6g}{unit}</text>'


def _round_up(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= width * (1 - 1e-9))
