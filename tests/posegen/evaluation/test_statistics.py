import numpy as np
import pytest

from posegen.evaluation.statistics import (
    Statistic,
    intervals,
    mean,
    median,
    ratio,
    rows_of,
    share_above,
    share_below,
)

COLUMNS = {
    "a": np.array([1.0, 2.0, np.nan, 9.0]),
    "b": np.array([2.0, 2.0, 2.0, 2.0]),
    "none": np.full(4, np.nan),
    "zero": np.zeros(4),
}


def test_statistics_by_hand_leave_out_what_is_missing() -> None:
    assert mean("a")(COLUMNS) == 4
    assert median("a")(COLUMNS) == 2
    assert share_above("a", 2)(COLUMNS) == pytest.approx(1 / 3)
    assert share_below("a", 2)(COLUMNS) == pytest.approx(1 / 3)
    assert ratio("a", "b")(COLUMNS) == 2


@pytest.mark.parametrize(
    "statistic", [mean("none"), median("absent"), ratio("a", "absent"), ratio("a", "zero")]
)
def test_no_values_are_no_figure(statistic: Statistic) -> None:
    assert np.isnan(statistic(COLUMNS))


def test_rows() -> None:
    np.testing.assert_array_equal(rows_of(COLUMNS, COLUMNS["a"] > 1)["a"], [2, 9])


def columns(objects: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    return {"object": objects.astype(float), "a": values}


def test_an_interval_of_independent_images_is_that_of_theory() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    low, high = intervals({"a": mean("a")}, columns(np.arange(400), values), seed=0)["a"]
    half = 1.96 * values.std() / 20
    np.testing.assert_allclose([low, high], [values.mean() - half, values.mean() + half], atol=0.03)


def test_images_of_one_object_are_drawn_together() -> None:
    """Four equal images of each object tell no more than one."""
    once = np.random.default_rng(0).normal(5, 2, 100)
    alone = intervals({"a": mean("a")}, columns(np.arange(100), once), seed=0)["a"]
    four = intervals({"a": mean("a")}, columns(np.arange(100).repeat(4), once.repeat(4)), seed=0)[
        "a"
    ]
    np.testing.assert_allclose(four, alone)


def test_with_few_objects_images_are_drawn() -> None:
    values = np.random.default_rng(0).normal(5, 2, 100)
    low, high = intervals({"a": mean("a")}, columns(np.zeros(100), values), seed=0)["a"]
    assert low < values.mean() < high


def test_no_values_have_no_interval() -> None:
    span = intervals({"a": mean("a")}, columns(np.arange(12), np.full(12, np.nan)), seed=0)["a"]
    assert np.isnan(span).all()
