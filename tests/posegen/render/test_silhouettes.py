"""Silhouettes are those of the camera and pose that are written, to a fraction of a pixel."""

from dataclasses import replace

import numpy as np
import pytest

from mesh_projection import EXACT, mismatch, offset_between, project, rasterise
from posegen.render.camera import View, intrinsics, orbit
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.model import Part
from posegen.render.silhouettes import SilhouetteRenderer

WIDTH, HEIGHT = 160, 120
K = np.array([[171.3, 0, 85.2], [0, 163.7, 52.9], [0, 0, 1]])  # off-centre, pixels not square


@pytest.fixture(scope="module")
def renderer() -> SilhouetteRenderer:
    return SilhouetteRenderer(WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def car() -> Part:
    return build_car(draw_car(np.random.default_rng(3))).whole


def view(yaw: float, elevation: float = 0.3, distance: float = 7.0) -> View:
    R, t = orbit(np.zeros(3), yaw, elevation, distance, roll=0.1)
    return View(R, t, K, WIDTH, HEIGHT)


def raster(part: Part, view: View) -> np.ndarray:
    return rasterise(part.vertices, part.faces, view.R, view.t, view.K, (HEIGHT, WIDTH))


@pytest.mark.parametrize("yaw", [0.4, 2.0, 3.9])
def test_silhouette_is_the_projection(renderer: SilhouetteRenderer, car: Part, yaw: float) -> None:
    renderer.load(car.vertices, car.faces)
    mask, expected = renderer.render(view(yaw)), raster(car, view(yaw))
    assert set(np.unique(mask)) == {0, 255}
    assert mismatch(mask, expected) < EXACT
    assert np.abs(offset_between(mask, expected)).max() < 0.02


def test_wrong_cameras_are_seen(renderer: SilhouetteRenderer, car: Part) -> None:
    renderer.load(car.vertices, car.faces)
    right = view(0.4)
    mask = renderer.render(right)
    flip = np.diag([1.0, -1.0, -1.0])
    shifted = K + np.array([[0, 0, 0.25], [0, 0, 0], [0, 0, 0]])
    lowered = K + np.array([[0, 0, 0], [0, 0, 0.25], [0, 0, 0]])
    wrong = {
        "a quarter pixel to the right": replace(right, K=shifted),
        "a quarter pixel down": replace(right, K=lowered),
        "front and rear exchanged": replace(right, R=right.R @ np.diag([-1.0, 1.0, 1.0])),
        "the OpenGL frame": replace(right, R=flip @ right.R, t=np.array([0, 0, 7.0])),
        "model and camera exchanged": replace(right, R=right.R.T),
        "metres for millimetres": replace(right, t=right.t * 1000),
    }
    for name, candidate in wrong.items():
        assert mismatch(mask, raster(car, candidate)) > 4 * EXACT, name


def test_holes_stay_open(renderer: SilhouetteRenderer) -> None:
    import pyvista

    torus = pyvista.ParametricTorus(ringradius=1.0, crosssectionradius=0.2).triangulate()
    part = Part(np.asarray(torus.points, float), torus.regular_faces.astype(np.int32),
                np.zeros((torus.n_points, 3), np.uint8))  # fmt: skip
    renderer.load(part.vertices, part.faces)
    seen = view(0.3, elevation=1.2, distance=4.0)
    mask = renderer.render(seen)
    assert mismatch(mask, raster(part, seen)) < EXACT
    x, y = project(np.zeros((1, 3)), seen.R, seen.t, seen.K)[0].round().astype(int)
    assert mask[y, x] == 0


def test_camera_matrix_alone_moves_the_silhouette(renderer: SilhouetteRenderer, car: Part) -> None:
    """A stale camera would return the former silhouette."""
    renderer.load(car.vertices, car.faces)
    still = renderer.render(view(0.4))
    moved = renderer.render(view(0.4).shifted(10, 4))
    np.testing.assert_array_equal(moved[:-4, :-10], still[4:, 10:])
    assert not np.array_equal(moved, still)


def test_whole_silhouette_continues_beyond_the_border(
    renderer: SilhouetteRenderer, car: Part
) -> None:
    renderer.load(car.vertices, car.faces)
    cut = view(0.4).shifted(55, 30)
    whole = renderer.render_whole(cut)
    large = cut.shifted(-WIDTH, -HEIGHT)
    expected = rasterise(
        car.vertices, car.faces, large.R, large.t, large.K, (3 * HEIGHT, 3 * WIDTH)
    )
    assert mismatch(whole, expected) < EXACT
    middle = whole[HEIGHT : 2 * HEIGHT, WIDTH : 2 * WIDTH]
    np.testing.assert_array_equal(middle, renderer.render(cut))
    assert np.count_nonzero(whole) > np.count_nonzero(middle)


def test_unit_does_not_matter(renderer: SilhouetteRenderer, car: Part) -> None:
    renderer.load(car.vertices, car.faces)
    metres = renderer.render(view(2.0))
    renderer.load(1000 * car.vertices, car.faces)
    millimetres = renderer.render(replace(view(2.0), t=1000 * view(2.0).t))
    assert mismatch(millimetres, metres) < EXACT


def test_object_out_of_sight_gives_an_empty_silhouette(
    renderer: SilhouetteRenderer, car: Part
) -> None:
    renderer.load(car.vertices, car.faces)
    away = replace(view(0.4), K=intrinsics(WIDTH, HEIGHT, 40)).shifted(5000, 0)
    assert not renderer.render(away).any()
    for distance in (0.0, 5.0, 100.0):
        behind = replace(view(0.4), R=np.eye(3), t=np.array([0, 0, -3 - distance]))
        assert not renderer.render(behind).any()
