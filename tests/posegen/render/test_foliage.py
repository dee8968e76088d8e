"""Crowns and hedges."""

import numpy as np
import pytest

from posegen.render import foliage


@pytest.mark.parametrize("kind", range(len(foliage.KINDS)))
def test_crowns_have_leaves_and_gaps(kind: int) -> None:
    pictures = [foliage.crown(kind, variant) for variant in range(foliage.VARIANTS)]
    assert not np.array_equal(pictures[0], pictures[1])
    for picture in pictures:
        alpha = picture[..., 3] > 127
        assert 0.12 < alpha.mean() < 0.95
        assert picture[alpha][:, 0].std() > 8, "leaves of one shade"
        rows = np.flatnonzero(alpha.any(axis=1))
        assert rows[0] < 60, "does not reach up"


def test_light_comes_from_above() -> None:
    picture = foliage.crown(foliage.KINDS.index("round"), 0)
    alpha = picture[..., 3] > 127
    rows = np.flatnonzero(alpha.any(axis=1))
    half = int(rows.mean())
    assert picture[:half][alpha[:half]][:, 0].mean() > picture[half:][alpha[half:]][:, 0].mean() + 8


def test_the_hedge_is_large_enough_for_every_cut() -> None:
    tile = foliage.hedge()
    assert tile.shape[0] >= 299 + 190
    assert tile.shape[1] >= 299 + 220
    assert tile.std() > 5
