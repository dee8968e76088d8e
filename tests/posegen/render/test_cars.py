"""Cars stand right, look different from every side, and vary."""

import numpy as np
import pytest

from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.model import Finish, Model


def cars(count: int) -> list[Model]:
    return [build_car(draw_car(np.random.default_rng(seed))) for seed in range(count)]


@pytest.mark.parametrize("seed", range(6))
def test_origin_is_the_middle_of_the_box_and_sizes_are_those_of_cars(seed: int) -> None:
    model = build_car(draw_car(np.random.default_rng(seed)))
    vertices = model.whole.vertices
    np.testing.assert_allclose(vertices.min(axis=0), -vertices.max(axis=0), atol=1e-9)
    length, width, height = model.size
    assert 3.6 < length < 5.2
    assert 1.6 < width < 2.4  # with mirrors
    assert 1.35 < height < 2.1
    assert len(model.whole.faces) < 5000


def test_front_rear_and_sides_are_told_apart_by_colour() -> None:
    model = build_car(draw_car(np.random.default_rng(1)))
    lamps = next(part for part in model.parts if part.finish is Finish.LAMP)
    red = (lamps.colors[:, 0] > 150) & (lamps.colors[:, 1] < 60)
    white = lamps.colors.min(axis=1) > 200
    assert lamps.vertices[red, 0].max() < -0.3 * model.size[0]
    assert lamps.vertices[white, 0].min() > 0.3 * model.size[0]
    whole = model.whole
    exhaust = (whole.colors == (150, 150, 150)).all(axis=1)
    assert exhaust.any()
    assert whole.vertices[exhaust, 1].max() < 0  # on the right only


def test_wheels_touch_the_ground() -> None:
    for model in cars(5):
        matte = next(part for part in model.parts if part.finish is Finish.MATTE)
        assert matte.vertices[:, 2].min() == pytest.approx(-model.size[2] / 2)


def test_proportions_and_paints_vary_and_follow_from_the_seed() -> None:
    sizes = np.array([model.size for model in cars(30)])
    assert (sizes.std(axis=0) > (0.25, 0.05, 0.1)).all()
    paints = {draw_car(np.random.default_rng(seed)).paint for seed in range(30)}
    assert len(paints) > 20
    first, again = (build_car(draw_car(np.random.default_rng(4))).whole for _ in range(2))
    np.testing.assert_array_equal(first.vertices, again.vertices)
    np.testing.assert_array_equal(first.colors, again.colors)
