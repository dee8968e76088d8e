"""Painting in perspective: places, sizes, haze, what covers what."""

from dataclasses import replace

import numpy as np
import pytest

from street_canvas import SIZE, WEATHER, level_canvas

RED, WHITE = np.array([1.0, 0, 0]), np.ones(3)


def wall(x: float, half: float = 1.0, height: float = 2.5) -> np.ndarray:
    return np.array([(x, half, 0), (x, -half, 0), (x, -half, height), (x, half, height)])


def test_a_face_lies_where_its_corners_project() -> None:
    canvas = level_canvas()
    canvas.polygon(wall(0.0), RED, WHITE)
    rows, columns = np.nonzero(canvas.image[..., 0] > 127)
    pixels, depths = canvas.project(wall(0.0))
    assert depths == pytest.approx([10] * 4)
    assert (columns.min(), rows.min()) == pytest.approx(pixels.min(axis=0), abs=1)
    assert (columns.max(), rows.max()) == pytest.approx(pixels.max(axis=0), abs=1)
    assert columns.max() - columns.min() == pytest.approx(canvas.K[0, 0] * 2 / 10, abs=1.5)


def test_a_picture_is_upright_and_not_mirrored() -> None:
    canvas = level_canvas()
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:20, :20], picture[20:, 20:] = (200, 0, 0), (0, 0, 200)
    canvas.quad(wall(0.0), picture, WHITE)
    (left, bottom), _, (right, top), _ = canvas.project(wall(0.0))[0]
    y, x = int(0.75 * top + 0.25 * bottom), int(0.75 * left + 0.25 * right)
    assert tuple(canvas.image[y, x]) == (200, 0, 0)
    assert tuple(canvas.image[int(bottom + top) - y, int(left + right) - x]) == (0, 0, 200)


def test_haze_pales_what_is_far() -> None:
    canvas = level_canvas(replace(WEATHER, visibility=30.0))
    shades = []
    for x in (0.0, 40.0):
        canvas.polygon(wall(x), np.zeros(3), WHITE)
        (column, row), _ = canvas.project(np.array([[x, 0, 1.4]]))[0][0], None
        shades.append(int(canvas.image[round(float(row)), round(float(column)), 0]))
    assert shades == pytest.approx(
        [float(canvas.haze[0] * (1 - np.exp(-away / 30))) for away in (10, 50)], abs=2
    )


def test_alpha_and_what_lies_behind_the_camera() -> None:
    canvas = level_canvas()
    picture = np.full((30, 30, 4), 255, np.uint8)
    picture[:, :15, 3] = 0
    canvas.sprite(np.zeros(3), (2.0, 2.0), picture, WHITE)
    assert canvas.image[60, 50:58].max() == 0
    assert canvas.image[60, 62:70].min() == 255
    before = canvas.image.copy()
    canvas.polygon(wall(-30.0), RED, WHITE)
    canvas.quad(wall(-30.0), np.full((9, 9, 3), 255, np.uint8), WHITE)
    canvas.sprite(np.array([-30.0, 0, 0]), (2.0, 2.0), picture, WHITE)
    assert np.array_equal(canvas.image, before)
    assert not canvas.sees(wall(-30.0))
    assert canvas.sees(wall(0.0))


def test_rays_lead_back_to_their_pixels() -> None:
    canvas = level_canvas(pitch=0.2)
    rays = canvas.rays(4).reshape(-1, 3)
    pixels, depths = canvas.project(canvas.eye + 7 * rays)
    assert depths == pytest.approx(np.full(len(rays), 7.0))
    centres = np.arange(SIZE // 4) * 4 + 1.5
    assert pixels[: SIZE // 4, 0] == pytest.approx(centres)
