"""Throughput over time: right in the mean and in its parts, whatever the order, with pauses cut."""

import random

import pytest

from posegen_runtime.report.rates import MAX_BINS, POINTS, Rates, Segment, mean_rate

START = 1.7e9


def segments(moments: list[float]) -> list[Segment]:
    rates = Rates()
    for moment in moments:
        rates.add(moment)
    return rates.segments()


def test_a_steady_run_is_a_level_line() -> None:
    (segment,) = segments([START + index / 40 for index in range(40 * 300)])
    assert segment.seconds == pytest.approx(300, rel=0.01)
    assert len(segment.rates) == POINTS
    assert segment.rates == pytest.approx([40] * POINTS, rel=0.05)


def test_every_image_is_counted_once_whatever_the_order() -> None:
    moments = [START + index**1.5 / 500 for index in range(20_000)]
    in_order = segments(moments)
    random.Random(0).shuffle(moments)
    assert segments(moments) == in_order
    total = sum(s.seconds * sum(s.rates) / len(s.rates) for s in in_order)
    assert total == pytest.approx(20_000)
    rates = in_order[0].rates
    assert rates[0] > 2 * rates[-1]


def test_a_pause_is_cut_out_and_its_length_is_kept() -> None:
    first = [START + index / 10 for index in range(1000)]
    second = [moment + 100 + 8 * 3600 for moment in first]
    before, after = segments(first + second)
    assert (before.pause, after.pause) == (0.0, pytest.approx(8 * 3600, abs=1))
    assert mean_rate([before, after]) == pytest.approx(10, rel=0.01)


def test_slow_images_are_no_pauses() -> None:
    (segment,) = segments([START + 90 * index for index in range(200)])
    assert segment.seconds == pytest.approx(90 * 199, rel=0.01)


def test_a_long_run_stays_in_few_bins() -> None:
    rates = Rates()
    for index in range(200_000):
        rates.add(START + index)
    assert len(rates._bins) <= MAX_BINS
    assert mean_rate(rates.segments()) == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("count", [0, 1, 10])
def test_less_than_a_second_has_no_rate(count: int) -> None:
    assert segments([START + index / 100 for index in range(count)]) == []


def test_what_is_no_time_is_left_out() -> None:
    times = [START + index / 40 for index in range(400)]
    assert segments([*times, float("nan"), float("inf"), -1.0, 0.0]) == segments(times)
