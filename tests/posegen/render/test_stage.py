"""The photo and its background are one scene, of which nothing hides the object."""

import cv2
import numpy as np
import pytest

from posegen.render.camera import View
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.model import Model
from posegen.render.poses import PoseRange, draw_view
from posegen.render.scenery import seen_street
from posegen.render.silhouettes import SilhouetteRenderer
from posegen.render.stage import Stage
from posegen.render.street import Street, draw_street
from posegen.render.things import corners

SIZE = 96
SEEDS = range(8)


@pytest.fixture(scope="module")
def car() -> Model:
    return build_car(draw_car(np.random.default_rng(2)))


@pytest.fixture(scope="module")
def stage(car: Model) -> Stage:
    stage = Stage(SIZE, SIZE)
    stage.load(car)
    return stage


def scene(car: Model, seed: int) -> tuple[Street, View]:
    rng = np.random.default_rng([9, seed])
    points = car.whole.vertices + np.array([0, 0, car.size[2] / 2])
    view = draw_view(rng, PoseRange(), points, SIZE, SIZE)
    return draw_street(rng), view


def silhouettes(car: Model) -> SilhouetteRenderer:
    renderer = SilhouetteRenderer(SIZE, SIZE)
    renderer.load(car.whole.vertices, car.whole.faces)
    return renderer


def test_only_object_and_shadow_are_new_and_nothing_hides_them(stage: Stage, car: Model) -> None:
    renderer = silhouettes(car)
    untouched = 0
    for seed in SEEDS:
        street, view = scene(car, seed)
        stage.dress(street, view)
        photo, background = stage.with_object().astype(int), stage.without_object().astype(int)
        mask = renderer.render(view.of_model(np.array([0, 0, car.size[2] / 2])))
        grown = cv2.dilate(mask, np.ones((5, 5), np.uint8)) > 0
        inside = cv2.erode(mask, np.ones((5, 5), np.uint8)) > 0
        change = photo - background
        assert change[~grown].max() <= 0, "outside the object there is only its shadow"
        untouched += int(np.count_nonzero((change[~grown] == 0).all(axis=1)))
        assert (change != 0).any(axis=2)[inside].mean() > 0.97, seed
    assert untouched > 0.5 * len(SEEDS) * SIZE**2 * 0.5


def test_what_could_hide_the_object_is_left_out(stage: Stage, car: Model) -> None:
    some = 0
    for seed in SEEDS:
        street, view = scene(car, seed)
        seen = seen_street(street, view, stage.radius, stage.scale)
        middle = view.to_camera(np.zeros((1, 3)))[0, 2]
        turn = np.array([[np.cos(street.angle), np.sin(street.angle)],
                         [-np.sin(street.angle), np.cos(street.angle)]])  # fmt: skip
        for thing in seen.things:
            ends = corners((thing,))[0] * stage.scale
            ends[:, :2] = ends[:, :2] @ turn
            assert view.to_camera(ends)[:, 2].min() > middle + stage.radius
        some += len(seen.things)
        assert len(seen.things) < len(street.things)
    assert some > 0


def test_streets_differ_and_come_again(stage: Stage, car: Model) -> None:
    pictures = []
    for seed in (0, 1, 2, 0):
        stage.dress(*scene(car, seed))
        pictures.append(stage.without_object().astype(int))
    assert np.array_equal(pictures[0], pictures[3])
    for a in range(3):
        for b in range(a):
            assert np.abs(pictures[a] - pictures[b]).mean() > 8


def test_parked_cars_are_drawn(stage: Stage, car: Model) -> None:
    from dataclasses import replace

    found = 0
    for seed in range(30):
        street, view = scene(car, seed)
        bare = replace(street, cars=(None,) * len(street.cars))
        stage.dress(street, view)
        full = stage.without_object().astype(int)
        stage.dress(bare, view)
        found += np.abs(full - stage.without_object()).max() > 20
        if found >= 2:
            return
    pytest.fail("no parked car in thirty streets")
