import numpy as np

from posegen.evaluation.color import colour_error, distance, flat_error, inside, mean_colour, to_lab

WHITE, BLACK, RED, GREY = (255, 255, 255), (0, 0, 0), (255, 0, 0), (119, 119, 119)


def painted(*colours: tuple[int, int, int]) -> np.ndarray:
    """One image whose rows of two pixels have these colours."""
    return np.array([[colour, colour] for colour in colours], np.uint8)[None]


def full(rows: int) -> np.ndarray:
    return np.full((1, rows, 2), 255, np.uint8)


def test_known_colours_in_lab() -> None:
    """Values of the sRGB primaries under D65."""
    lab = to_lab(painted(WHITE, BLACK, RED, GREY))[0, :, 0]
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [50.03, 0, 0]]
    np.testing.assert_allclose(lab, expected, atol=0.1)


def test_distance_of_known_colours() -> None:
    lab = to_lab(painted(WHITE, RED))[0, :, 0].astype(np.float64)
    # (46.76² + 80.09² + 67.20²)^½
    np.testing.assert_allclose(distance(lab[:1], lab[1:]), 114.54, atol=0.1)


def test_error_is_the_mean_inside_the_mask() -> None:
    mask = full(3)
    mask[:, 2] = 0
    made, photo = painted(WHITE, BLACK, RED), painted(BLACK, BLACK, GREY)
    error = colour_error(inside(made, mask), inside(photo, mask))
    np.testing.assert_allclose(error, 50, atol=0.1)  # 100 and 0; the third row is outside


def test_a_flat_fill_is_off_by_the_spread() -> None:
    photo = inside(painted(WHITE, BLACK), full(2))
    np.testing.assert_allclose(flat_error(photo), 50, atol=0.1)
    np.testing.assert_allclose(mean_colour(photo), [[50, 0, 0]], atol=0.1)
    assert flat_error(inside(painted(RED, RED), full(2))) < 1e-3


def test_an_empty_mask_has_no_colour() -> None:
    empty = inside(painted(RED), np.zeros((1, 1, 2), np.uint8))
    assert np.isnan(mean_colour(empty)).all()
    assert mean_colour(empty).shape == (1, 3)
    assert np.isnan(flat_error(empty)).all()
    assert np.isnan(colour_error(empty, empty)).all()
