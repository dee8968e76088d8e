"""Light on vertices: directions count, finishes differ, cars look different from front and rear."""

import numpy as np
import pytest

from posegen.render.camera import View, intrinsics, orbit
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.model import Finish
from posegen.render.shading import shade, surroundings
from posegen.render.stage import Stage
from posegen.render.street import Street, draw_street

SIZE = 96
EYE = np.array([8.0, 0.0, 3.0])
COLOR = (150, 60, 40)


@pytest.fixture(scope="module")
def street() -> Street:
    return draw_street(np.random.default_rng(2))


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(SIZE, SIZE)


def sphere(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Points on a ball that lies on the ground, and their normals."""
    normals = np.random.default_rng(0).normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return normals * 0.7 + (0, 0, 0.7), normals


def shaded(finish: Finish, street: Street) -> tuple[np.ndarray, np.ndarray]:
    points, normals = sphere()
    colors = np.tile(np.array(COLOR, np.uint8), (len(points), 1))
    seen = np.einsum("ij,ij->i", normals, EYE - points) > 0
    shown = shade(points, normals, colors, finish, street, EYE)
    assert shown.dtype == np.uint8
    assert shown.shape == colors.shape
    return shown[seen].astype(float), normals[seen]


@pytest.mark.parametrize("finish", Finish)
def test_what_looks_up_is_brighter_than_what_looks_down(finish: Finish, street: Street) -> None:
    shown, normals = shaded(finish, street)
    above, below = normals[:, 2] > 0.6, normals[:, 2] < -0.4
    assert shown[above].mean() > 1.2 * shown[below].mean()


def test_finishes_differ(street: Street) -> None:
    looks = {finish: shaded(finish, street)[0] for finish in Finish}
    for first in Finish:
        for second in Finish:
            if first is not second:
                assert np.abs(looks[first] - looks[second]).mean() > 3, (first, second)


def test_matte_things_keep_their_hue_and_glass_mirrors_the_sky_at_a_flat_angle(
    street: Street,
) -> None:
    matte, normals = shaded(Finish.MATTE, street)
    assert (matte[:, 0] > matte[:, 2]).all()
    flat = (normals[:, 2] > 0.8) & (normals[:, 0] < 0.2)
    glass = shaded(Finish.GLASS, street)[0]
    assert (glass[flat, 2] / glass[flat, 0]).mean() > 1.2 * (matte[flat, 2] / matte[flat, 0]).mean()


def test_normals_that_point_inwards_are_turned_round(street: Street) -> None:
    points, normals = sphere()
    colors = np.tile(np.array(COLOR, np.uint8), (len(points), 1))
    facing = np.einsum("ij,ij->i", normals, EYE - points) / np.linalg.norm(EYE - points, axis=1)
    right = shade(points, normals, colors, Finish.MATTE, street, EYE)
    wrong = shade(points, -normals, colors, Finish.MATTE, street, EYE)
    np.testing.assert_array_equal(right[facing > 0.31], wrong[facing > 0.31])


def test_surroundings_are_bright_above_the_skyline(street: Street) -> None:
    up, down = (np.array([[0.8, 0.0, z]], np.float32) for z in (0.6, -0.6))
    assert surroundings(up, street).mean() > surroundings(down, street).mean()


def view(azimuth: float, lift: float) -> View:
    R, t = orbit(np.array([0, 0, lift]), azimuth, 0.2, 9.0, 0.0)
    return View(R, t, intrinsics(SIZE, SIZE, 32), SIZE, SIZE)


def test_front_and_rear_of_a_car_look_different(stage: Stage, street: Street) -> None:
    model = build_car(draw_car(np.random.default_rng(3), "sedan"))
    stage.load(model)
    share = []
    for azimuth in (0.0, np.pi):
        stage.dress(street, view(azimuth, model.size[2] / 2))
        image, without = stage.with_object().astype(int), stage.without_object().astype(int)
        changed = np.abs(image - without).max(axis=-1) > 8
        red = (image[..., 0] > 1.8 * image[..., 1]) & (image[..., 0] > 90) & changed
        share.append(red.sum())
        assert changed.sum() > 500
    assert share[1] > share[0] + 15
