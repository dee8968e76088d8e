"""Cameras look where they are told to."""

import numpy as np
import pytest

from posegen.render.camera import View, at_share, intrinsics, orbit, pointed, span

CORNERS = np.array([[x, y, z] for x in (-2, 2) for y in (-1, 1) for z in (0, 1.5)], float)
TARGET = np.array([0, 0, 0.75])


def view(yaw: float = 0.5, elevation: float = 0.3, distance: float = 12.0) -> View:
    return View(*orbit(TARGET, yaw, elevation, distance), intrinsics(200, 100, 40), 200, 100)


def test_field_of_view_is_that_of_the_shorter_side() -> None:
    K = intrinsics(200, 100, 90)
    assert K[0, 0] == pytest.approx(50)
    assert (K[0, 2], K[1, 2]) == (99.5, 49.5)  # integer centres: half a pixel before 100 and 50


def test_orbit_stands_where_it_says() -> None:
    seen = view(yaw=np.pi / 2, elevation=np.pi / 6, distance=10)
    expected = TARGET + 10 * np.array([0, np.cos(np.pi / 6), np.sin(np.pi / 6)])
    np.testing.assert_allclose(seen.position, expected, atol=1e-12)
    np.testing.assert_allclose(seen.R @ seen.R.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(seen.R) == pytest.approx(1)
    np.testing.assert_allclose(seen.project(TARGET[None])[0], (99.5, 49.5))


def test_up_in_the_world_is_up_in_the_image() -> None:
    low, high = view().project(np.array([[0, 0, 0.0], [0, 0, 1.0]]))
    assert high[1] < low[1]
    # From +x, looking back at the origin, +y lies to the right.
    assert view(yaw=0).project(np.array([[0, 1.0, 0.75]]))[0, 0] > 99.5


def test_share_is_reached_on_the_side_that_fills_more() -> None:
    x0, y0, x1, y1 = span(at_share(view(), CORNERS, TARGET, 0.6), CORNERS)
    assert max((x1 - x0) / 200, (y1 - y0) / 100) == pytest.approx(0.6, rel=0.01)


def test_pointing_turns_about_the_camera_s_own_place() -> None:
    turned = pointed(view(), TARGET, np.array([30.0, 80.0]))
    np.testing.assert_allclose(turned.project(TARGET[None])[0], (30, 80), atol=1e-9)
    np.testing.assert_allclose(turned.position, view().position, atol=1e-9)
    np.testing.assert_allclose(turned.R @ turned.R.T, np.eye(3), atol=1e-12)


def test_origin_moves_points_not_pixels() -> None:
    origin = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(
        view().of_model(origin).project(CORNERS - origin), view().project(CORNERS)
    )


def test_shifted_view_is_the_tile_beside() -> None:
    np.testing.assert_allclose(
        view().shifted(200, -100).project(CORNERS), view().project(CORNERS) - (200, -100)
    )
