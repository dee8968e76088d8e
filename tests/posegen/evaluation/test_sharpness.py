import numpy as np

from posegen.evaluation.sharpness import sharpness

SIZE = 32


def grey(luma: np.ndarray) -> np.ndarray:
    return np.broadcast_to(luma[None, ..., None], (1, SIZE, SIZE, 3)).astype(np.uint8)


def square(margin: int) -> np.ndarray:
    mask = np.zeros((1, SIZE, SIZE), np.uint8)
    mask[:, margin : SIZE - margin, margin : SIZE - margin] = 255
    return mask


def ramp(down: int, across: int) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return grey(down * rows + across * columns)


def test_a_ramp_has_its_slope() -> None:
    np.testing.assert_allclose(sharpness(ramp(0, 5), square(4)), 5, rtol=1e-5)
    np.testing.assert_allclose(sharpness(ramp(3, 4), square(4)), 5, rtol=1e-5)
    assert sharpness(ramp(0, 0), square(4)) == 0


def test_luma_weights_the_channels() -> None:
    green = ramp(0, 5) * np.array([0, 1, 0], np.uint8)
    np.testing.assert_allclose(sharpness(green, square(4)), 5 * 0.587, rtol=1e-5)


def test_the_edge_of_the_silhouette_does_not_count() -> None:
    mask = square(8)
    image = grey(np.where(mask[0] > 0, 200, 20))
    assert sharpness(image, mask) == 0
    assert sharpness(image, square(7)) > 0  # the mask reaches over the edge


def test_the_margin_grows_with_the_image() -> None:
    """At 256 px four pixels are taken off."""
    size = 256
    mask = np.zeros((1, size, size), np.uint8)
    mask[:, 100:109, 100:109] = 255  # 9 pixels: one is left
    assert sharpness(np.zeros((1, size, size, 3), np.uint8), mask) == 0
    mask[:, 108] = 0
    assert np.isnan(sharpness(np.zeros((1, size, size, 3), np.uint8), mask)).all()


def test_pixels_at_the_border_of_the_image_do_not_count() -> None:
    """A bright first column: of the 30×30 pixels left, those of the second see half of its step."""
    image = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    image[:, :, 0] = 240
    np.testing.assert_allclose(sharpness(image, square(0)), 30 * 120 / 30**2)
