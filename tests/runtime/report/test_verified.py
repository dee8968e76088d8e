"""What judges found, added up: distribution, the worst, the control."""

import numpy as np
import pytest

from posegen_runtime.report import ReportRow
from posegen_runtime.report.histogram import Histogram, LogHistogram
from posegen_runtime.report.verified import KEPT, SAMPLED, TURNED, WORST, Verified
from posegen_runtime.verdicts import Seen, Verdict, compared

Side = 24


def square(index: int) -> np.ndarray:
    mask = np.zeros((Side, Side), bool)
    row, column = divmod(index % 25, 5)
    mask[4 * row : 4 * row + 6, 4 * column : 4 * column + 6] = True
    return mask


def row(mask: str, verdict: Verdict, state: str = "done") -> ReportRow:
    return ReportRow(mask=mask, state=state, verdict=verdict)  # type: ignore[arg-type]


def added(rows: list[ReportRow]) -> Verified:
    verified = Verified(0)
    for place, one in enumerate(rows):
        assert one.verdict is not None
        verified.add(place, one, one.verdict)
    return verified


def test_the_worst_come_first_and_earlier_ones_before_their_equals() -> None:
    ious = np.random.default_rng(0).integers(0, 40, 500) / 40
    rows = [
        row(str(i), Verdict(iou=float(iou), shift=0.0, size_ratio=1.0))
        for i, iou in enumerate(ious)
    ]
    worst = added(rows).worst()
    assert [place for place, _ in worst] == np.argsort(ious, kind="stable")[: KEPT * WORST].tolist()
    assert all(one.mask == str(place) for place, one in worst)


def test_only_headings_more_than_90_degrees_off_are_shown() -> None:
    rows = [
        row(str(i), Verdict(iou=0.9, shift=0.0, size_ratio=1.0, heading_error_deg=error))
        for i, error in enumerate([3.0, 91.0, 179.0, 90.0])
    ]
    verified = added(rows)
    assert [one.mask for _, one in verified.turned()] == ["2", "1"]
    assert (verified.wrong, verified.heading.count) == (2, 4)
    assert TURNED < WORST


def test_the_control_is_what_other_masks_would_score() -> None:
    masks = [square(i) for i in range(25)]
    rows = [row(str(i), compared(mask, mask)) for i, mask in enumerate(masks)]
    control = added(rows).control()
    assert control is not None
    pairs = [(a, b) for a in range(25) for b in range(25) if a != b]
    chance = np.mean([(masks[a] & masks[b]).sum() / (masks[a] | masks[b]).sum() for a, b in pairs])
    assert control.count == 25
    assert control.mean == pytest.approx(chance, abs=0.06)
    assert control.above(0.99) == 0


def test_variations_of_a_mask_are_no_control_of_each_other() -> None:
    # Each mask has four images that show it exactly; against any other mask they score 0.
    masks = [square(6 * i) for i in range(4)]
    rows = [row(f"{i % 4}", compared(masks[i % 4], masks[i % 4])) for i in range(16)]
    control = added(rows).control()
    assert control is not None
    assert control.above(0.5) == 0
    assert added(rows[::4]).control() is None
    assert added(rows[::4] + rows[1:3]).control() is None


def test_a_generator_that_ignores_its_mask_scores_the_control() -> None:
    always = square(12)
    rows = [row(str(i), compared(square(i), always)) for i in range(25)]
    verified = added(rows)
    control = verified.control()
    assert control is not None
    assert control.mean == pytest.approx(verified.iou.mean, abs=1e-4)


def test_the_control_of_many_images_is_that_of_a_sample() -> None:
    verdicts = [compared(square(i), square(i)) for i in range(25)]
    rows = [row(str(i), verdicts[i % 25]) for i in range(SAMPLED + 500)]
    control = added(rows).control()
    assert control is not None
    assert control.count == SAMPLED


def test_judges_of_two_sizes_are_not_mixed() -> None:
    rows = [
        row(str(i), Verdict(iou=1.0, shift=0.0, size_ratio=1.0, seen=Seen(size, "", "")))
        for i, size in enumerate([24, 32])
    ]
    assert added(rows).control() is None


def test_a_histogram_keeps_counts_mean_and_quantiles() -> None:
    values = np.random.default_rng(1).uniform(0, 1, 3000)
    histogram = Histogram(0.0, 1.0)
    for value in values:
        histogram.add(float(value), "done" if value > 0.3 else "rejected")
    bars = histogram.bars(("done", "rejected"), 40)
    counted, _ = np.histogram(values, 40, (0, 1))
    assert [sum(bar.heights) for bar in bars] == counted.tolist()
    assert histogram.mean == pytest.approx(values.mean())
    for q in (0.05, 0.5):
        assert histogram.quantile(q) == pytest.approx(np.quantile(values, q), abs=0.004)
    assert histogram.above(0.5) == pytest.approx((values > 0.5).sum(), abs=2)


def test_distances_of_any_size_get_round_bars() -> None:
    histogram = LogHistogram()
    assert histogram.bars(("done",)) == []
    values = np.random.default_rng(2).uniform(4.1, 31, 800)
    for value in [*values, 0.0, -1.0, np.inf, np.nan]:
        histogram.add(float(value), "done")
    bars = histogram.bars(("done",))
    assert len(bars) <= 12
    assert sum(bar.heights[0] for bar in bars) == 800
    assert bars[0].low <= values.min()
    assert bars[-1].high >= values.max()
    assert bars[0].high - bars[0].low == 2.5
