"""Walls with windows."""

import numpy as np
import pytest

from posegen.render import facades

COLOR = np.array([0.8, 0.5, 0.3])


@pytest.mark.parametrize("style", range(len(facades.STYLES)))
def test_walls_are_cells_in_the_walls_colour(style: int) -> None:
    picture = facades.facade(np.random.default_rng(1), style, 4, 3, COLOR, False)
    side = facades.CELL
    assert picture.shape[1] / picture.shape[0] == pytest.approx(4 / 3)
    assert picture.shape[0] <= 3 * side
    assert picture.std() > 3
    bare = facades.facade(np.random.default_rng(1), style, 4, 3, COLOR[::-1], False)
    assert np.abs(picture.astype(int) - bare).mean() > 5, "the colour is not used"


def test_walls_of_two_seeds_differ() -> None:
    first, second = (
        facades.facade(np.random.default_rng(seed), 0, 5, 3, COLOR, False) for seed in (1, 2)
    )
    assert not np.array_equal(first, second)
