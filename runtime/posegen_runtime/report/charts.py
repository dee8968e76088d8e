"""Inline SVG of the throughput. Colours and lines are named in `style.CSS`."""

import math
from itertools import pairwise

import msgspec

from posegen_runtime.report import text
from posegen_runtime.report.rates import Segment, mean_rate

TICKS = 5
UNITS = (("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86400))


class Frame(msgspec.Struct, frozen=True):
    """A drawing's size in CSS pixels. Letters keep their size, so phones get a frame of their
    own instead of a shrunk one."""

    name: str
    width: int
    height: int
    left: int = 52
    right: int = 14
    top: int = 14
    bottom: int = 44

    def x(self, share: float) -> float:
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share: float) -> float:
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)


WIDE = Frame("wide", 860, 270)
NARROW = Frame("narrow", 350, 230)


def throughput(segments: list[Segment], frame: Frame, noun: str = "image") -> str:
    """What was made a second over the running time, pauses cut out and marked. Not empty."""
    seconds = sum(segment.seconds for segment in segments)
    unit, size = next(((u, s) for u, s in reversed(UNITS) if seconds >= 1.5 * s), UNITS[0])
    mean = mean_rate(segments)
    ys = _ticks(max(rate for segment in segments for rate in segment.rates))
    xs = _ticks(seconds / size, cover=False)
    label = f"Line: {noun}s a second over {text.duration(seconds)}, mean {text.figure(mean)}"
    parts = [
        f'<svg class="{frame.name}" role="img" aria-label="{label}" '
        f'viewBox="0 0 {frame.width} {frame.height}">'
    ]
    right, bottom = frame.x(1), frame.y(0)
    for tick in ys:
        y = frame.y(tick / ys[-1])
        parts.append(f'<path class="grid" d="M{frame.left} {y:.1f}H{right:.1f}"/>')
        parts.append(
            f'<text class="end" x="{frame.left - 6}" y="{y + 4:.1f}">{_number(tick)}</text>'
        )
    for tick in xs:
        x = frame.x(tick * size / seconds)
        parts.append(f'<path class="axis" d="M{x:.1f} {bottom:.1f}v5"/>')
        parts.append(
            f'<text class="middle" x="{x:.1f}" y="{bottom + 18:.1f}">{_number(tick)}</text>'
        )
    parts.append(f'<path class="axis" d="M{frame.left} {bottom:.1f}H{right:.1f}"/>')
    start = 0.0
    for segment in segments:
        if start:
            parts.append(_pause(frame, start / seconds, segment.pause, noun))
        parts.append(_line(frame, segment, start, seconds, ys[-1]))
        start += segment.seconds
    y = frame.y(mean / ys[-1])
    parts.append(f'<path class="mean" d="M{frame.left} {y:.1f}H{right:.1f}"/>')
    middle = (frame.left + right) / 2
    axis = f"running time in {unit}"
    parts.append(f'<text class="middle" x="{middle:.1f}" y="{frame.height - 6}">{axis}</text>')
    return "".join([*parts, "</svg>"])


def _line(frame: Frame, segment: Segment, start: float, seconds: float, top: float) -> str:
    step = segment.seconds / len(segment.rates)
    middles = [start + (index + 0.5) * step for index in range(len(segment.rates))]
    # Out to both ends, so that a part with a single point is a line too.
    times = [start, *middles, start + segment.seconds]
    rates = [segment.rates[0], *segment.rates, segment.rates[-1]]
    points = " ".join(
        f"{frame.x(time / seconds):.1f},{frame.y(rate / top):.1f}"
        for time, rate in zip(times, rates, strict=True)
    )
    return f'<polyline class="line" points="{points}"/>'


def _pause(frame: Frame, share: float, seconds: float, noun: str) -> str:
    x = frame.x(share)
    side, shift = ("end", -5) if share > 0.5 else ("start", 5)
    return (
        f'<path class="pause" d="M{x:.1f} {frame.top}V{frame.y(0):.1f}"/>'
        f'<text class="{side} small" x="{x + shift:.1f}" y="{frame.y(0) - 6:.1f}">'
        f"no {noun} for {text.duration(seconds)}</text>"
    )


def _ticks(top: float, cover: bool = True) -> list[float]:
    """Round numbers from 0 on, `TICKS` steps or fewer; the last is `top` or more with `cover`."""
    rough = max(top, 1e-6) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * (1 - 1e-9))
    steps = math.ceil(top / step - 1e-9) if cover else math.floor(top / step + 1e-9)
    return [step * index for index in range(max(1, steps) + 1)]


def _number(value: float) -> str:
    return f"{value:,.10g}"


def spread(segments: list[Segment]) -> tuple[float, float]:
    """Lowest and highest of the curve's points."""
    rates = [rate for segment in segments for rate in segment.rates]
    return min(rates), max(rates)


def pauses(segments: list[Segment]) -> list[float]:
    """Seconds of each pause between two segments."""
    return [after.pause for _, after in pairwise(segments)]
