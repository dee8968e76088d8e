"""Throughput over time, from the moments at which images were over."""

import math
from collections import Counter
from itertools import accumulate, pairwise

import msgspec
import numpy as np

FINEST = 1 / 16
"""Seconds; moments are counted in bins of this width, which doubles as they grow too many."""
MAX_BINS = 4096
POINTS = 100
"""At most this many points on the curve, each a mean over at least `PER_POINT` images."""
PER_POINT = 20
PAUSE = 60.0
"""Seconds without an image that count as a pause, or `SLOW` times the usual gap if that is more."""
SLOW = 20


class Segment(msgspec.Struct, frozen=True):
    """A part of the run without a pause."""

    seconds: float
    rates: list[float]
    """Images a second, means over equal parts of `seconds`."""
    pause: float
    """Seconds without an image before it."""


class Rates:
    """Counts images by the moment at which they were over; rows come in any order of time."""

    def __init__(self) -> None:
        self._width = FINEST
        self._bins: Counter[int] = Counter()
        self.first: float | None = None
        self.last: float | None = None

    def add(self, moment: float) -> None:
        """`moment` in seconds, Unix time. What is no time is left out."""
        if not 0 < moment < math.inf:
            return
        self.first = moment if self.first is None else min(self.first, moment)
        self.last = moment if self.last is None else max(self.last, moment)
        self._bins[math.floor(moment / self._width)] += 1
        while len(self._bins) > MAX_BINS:
            halved: Counter[int] = Counter()
            for index, images in self._bins.items():
                halved[index // 2] += images
            self._bins, self._width = halved, 2 * self._width

    def segments(self) -> list[Segment]:
        """The run's parts that are long enough to tell a rate."""
        parts = self._parts()
        images = sum(self._bins.values())
        seconds = sum(self._seconds(part) for part in parts)
        if seconds < 1 or images < 2:
            return []
        step = max(1.0, seconds / POINTS, PER_POINT * seconds / images)
        found: list[Segment] = []
        end = None
        for part in parts:
            start, length = part[0] * self._width, self._seconds(part)
            if length >= min(step, seconds) / 2:
                pause = start - end if end is not None else 0.0
                rates = self._curve(part, max(1, round(length / step)))
                found.append(Segment(length, rates, pause))
            end = start + length
        return found

    def _parts(self) -> list[list[int]]:
        """The filled bins in order of time, cut at pauses."""
        order = sorted(self._bins)
        gaps = [self._width * (after - before) for before, after in pairwise(order)]
        longest = max(PAUSE, SLOW * float(np.median(gaps))) if gaps else PAUSE
        parts: list[list[int]] = [[order[0]]] if order else []
        for index, gap in zip(order[1:], gaps, strict=True):
            if gap > longest:
                parts.append([])
            parts[-1].append(index)
        return parts

    def _seconds(self, part: list[int]) -> float:
        return self._width * (part[-1] + 1 - part[0])

    def _curve(self, part: list[int], points: int) -> list[float]:
        # Between two edges of bins images are taken as evenly spread.
        edges = [edge for index in part for edge in (index, index + 1)]
        images = [step for index in part for step in (0, self._bins[index])]
        steps = np.linspace(part[0], part[-1] + 1, points + 1)
        made = np.interp(steps, edges, list(accumulate(images)))
        return [float(rate) for rate in np.diff(made) / (np.diff(steps) * self._width)]


def mean_rate(segments: list[Segment]) -> float:
    """Images a second without pauses; 0 where there is no segment."""
    seconds = sum(segment.seconds for segment in segments)
    images = sum(segment.seconds * float(np.mean(segment.rates)) for segment in segments)
    return images / seconds if seconds else 0.0
