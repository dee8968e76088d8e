"""Sums of rows: stages, reasons, the sample."""

import random
from collections import Counter

import numpy as np
import pytest

from posegen_runtime.report.reasons import MAX_GROUPS, OTHER, UNKNOWN, Reasons, without_path
from posegen_runtime.report.rows import ReportRow
from posegen_runtime.report.sample import Sample
from posegen_runtime.report.timings import Timings


def failed(reason: str, mask: str = "m.png") -> ReportRow:
    return ReportRow(mask=mask, state="failed", reason=reason)


def test_medians_and_percentiles_of_stages() -> None:
    rng = random.Random(0)
    seconds = [rng.lognormvariate(-4, 1) for _ in range(5001)]
    timings = Timings()
    for value in seconds:
        timings.add({"odd": 1.0, "write": 0.0, "infer": value})
    assert [name for name, _ in timings.stages()] == ["infer", "write", "odd"]
    stages = dict(timings.stages())
    for q in (0.5, 0.95):
        exact = float(np.quantile(seconds, q))
        assert stages["infer"].quantile(q) == pytest.approx(exact, rel=0.01)
    assert stages["write"].quantile(0.5) == 0
    assert timings.total == pytest.approx(sum(seconds) + 5001)


def test_a_stage_that_took_no_sensible_time_is_left_out() -> None:
    timings = Timings()
    timings.add({"read": float("nan"), "infer": -1.0, "write": float("inf"), "encode": 2.0})
    assert [name for name, _ in timings.stages()] == ["encode"]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("the file is empty; write it again", "the file is empty; write it again"),
        ("/a b/c\nd.JPG: the file is empty", "the file is empty"),
        ("m.png: holds no object", "holds no object"),
        ("only 3 pixels: too few", "only 3 pixels: too few"),
    ],
)
def test_the_file_name_is_no_part_of_a_reason(reason: str, expected: str) -> None:
    assert without_path(reason, "m.png") == expected


def test_reasons_that_differ_by_numbers_and_names_are_one() -> None:
    reasons = Reasons()
    for index in range(5):
        reasons.add(failed(f"/x/{index}.png: {index}×9 pixels", f"{index}.png"))
    for row in (failed(""), failed(""), ReportRow(mask="r", state="rejected", reason="")):
        reasons.add(row)
    found = [(g.state, g.reason, g.example, g.count) for g in reasons.groups()]
    assert found == [
        ("failed", "0×9 pixels", "0.png", 5),
        ("failed", UNKNOWN, "m.png", 2),
        ("rejected", UNKNOWN, "r", 1),
    ]


def test_reasons_beyond_the_limit_are_still_counted() -> None:
    reasons = Reasons()
    for index in range(MAX_GROUPS + 50):
        reasons.add(failed("".join(chr(97 + int(digit)) for digit in str(index))))
    groups = reasons.groups()
    assert len(groups) == MAX_GROUPS + 1
    assert (groups[0].reason, groups[0].count) == (OTHER, 50)


def test_every_item_is_as_likely_to_be_in_the_sample() -> None:
    counts: Counter[int] = Counter()
    for seed in range(2000):
        sample: Sample[int] = Sample(5, seed)
        for item in range(20):
            sample.add(item)
        kept = sample.shuffled()
        assert len({place for place, _ in kept}) == 5
        assert all(place == item for place, item in kept)
        counts.update(item for _, item in kept[:2])
    assert all(150 < counts[item] < 250 for item in range(20))
