import numpy as np
import pytest

from posegen.evaluation.background import LIMIT, psnr_outside


def images(level: int) -> np.ndarray:
    return np.full((1, 8, 8, 3), level, np.uint8)


def upper_half() -> np.ndarray:
    mask = np.zeros((1, 8, 8), np.uint8)
    mask[:, :4] = 255
    return mask


@pytest.mark.parametrize(("offset", "decibel"), [(1, 48.1308), (16, 24.0484), (255, 0.0)])
def test_a_constant_offset(offset: int, decibel: float) -> None:
    """20 log10(255 / offset); darker or brighter, without wrapping around."""
    given, other = images(0), images(offset)
    for pair in ((given, other), (other, given)):
        np.testing.assert_allclose(psnr_outside(*pair, upper_half()), decibel, atol=1e-4)


def test_only_the_outside_counts() -> None:
    changed = images(100)
    changed[:, :4] = 255
    assert psnr_outside(changed, images(100), upper_half()) == LIMIT
    changed[:, 4:, :4] = 110  # half of the outside is off by 10: an MSE of 50
    np.testing.assert_allclose(
        psnr_outside(changed, images(100), upper_half()), 10 * np.log10(255**2 / 50)
    )


def test_a_mask_that_covers_everything_leaves_nothing_to_measure() -> None:
    full = np.full((1, 8, 8), 255, np.uint8)
    assert np.isnan(psnr_outside(images(0), images(9), full)).all()
