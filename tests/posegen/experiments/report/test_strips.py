import numpy as np

from posegen.experiments.report.strips import strip


def test_pixels_stay_pixels() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), np.uint8)
    shown = strip("", "", pictures, ("a", "b")).pictures
    assert shown.shape == (2, 96, 96, 3)
    np.testing.assert_array_equal(shown[:, 1::2, ::2], pictures)


def test_large_pictures_are_shrunk_and_masks_white() -> None:
    masks = np.zeros((3, 320, 320), np.uint8)
    masks[:, :160] = 255
    shown = strip("", "", masks, ("a", "b", "c")).pictures
    assert shown.shape == (3, 160, 160, 3)
    assert (shown[:, :80] == 255).all()
    assert (shown[:, 80:] == 0).all()
