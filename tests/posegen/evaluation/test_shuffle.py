import numpy as np
import pytest

from posegen.evaluation.shuffle import derangement


@pytest.mark.parametrize("count", [2, 3, 7, 100])
def test_no_fixed_point(count: int) -> None:
    for seed in range(20):
        order = derangement(np.arange(count), seed)
        assert order is not None
        assert sorted(order) == list(range(count))
        assert (order != np.arange(count)).all()


def test_nothing_stays_in_its_group() -> None:
    groups = np.repeat([4, 1, 7, 2], [5, 1, 2, 2])  # the largest is exactly half
    for seed in range(20):
        order = derangement(groups, seed)
        assert order is not None
        assert sorted(order) == list(range(len(groups)))
        assert (groups[order] != groups).all()


def test_it_follows_from_the_seed() -> None:
    groups = np.arange(50)
    assert (derangement(groups, 1) == derangement(groups, 1)).all()
    assert (derangement(groups, 1) != derangement(groups, 2)).any()


@pytest.mark.parametrize("groups", [[], [3], [3, 3], [3, 3, 3, 1]])
def test_where_there_is_none(groups: list[int]) -> None:
    assert derangement(np.array(groups, np.int64), 0) is None
