"""The throughput's drawing: inside its frame, with round numbers on its axes."""

import re
from xml.etree import ElementTree

import pytest

from posegen_runtime.report.charts import NARROW, WIDE, Frame, throughput
from posegen_runtime.report.rates import Segment


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@pytest.mark.parametrize("seconds", [1.5, 70, 5000, 40_000, 900_000])
@pytest.mark.parametrize("rate", [0.003, 0.7, 37.3, 21_000])
def test_the_curve_stays_between_its_axes(frame: Frame, seconds: float, rate: float) -> None:
    parts = [Segment(seconds, [rate, rate / 2, rate], 0.0), Segment(seconds / 9, [rate], 7200.0)]
    root = ElementTree.fromstring(throughput(parts, frame))
    lines = [node.get("points") or "" for node in root if node.tag == "polyline"]
    points = [tuple(map(float, pair.split(","))) for line in lines for pair in line.split()]
    assert len(points) == 5 + 3
    for x, y in points:
        assert frame.left - 0.1 <= x <= frame.width - frame.right + 0.1
        assert frame.top - 0.1 <= y <= frame.height - frame.bottom + 0.1
    words = [node.text or "" for node in root if node.tag == "text"]
    assert any(re.fullmatch(r"running time in (seconds|minutes|hours|days)", w) for w in words)
    assert "no image for 2 h" in words
    numbers = [float(word.replace(",", "")) for word in words if re.fullmatch(r"[\d.,]+", word)]
    assert 4 <= len(numbers) <= 13
    assert max(numbers) >= rate


def test_higher_is_faster_and_later_is_further_right() -> None:
    root = ElementTree.fromstring(throughput([Segment(100, [10, 20], 0.0)], WIDE))
    line = next(node.get("points") or "" for node in root if node.tag == "polyline")
    _, (x0, y0), (x1, y1), _ = (tuple(map(float, pair.split(","))) for pair in line.split())
    assert x0 < x1
    assert y0 > y1
    assert y1 == pytest.approx(WIDE.y(1))
