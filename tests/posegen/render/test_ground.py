"""The ground: perspective, the camera's horizon, shadows."""

from dataclasses import replace

import numpy as np
import pytest

from posegen.render.ground import draw_ground_picture
from posegen.render.ground_plan import Band, Mark, draw_ground
from posegen.render.ground_seen import Piece
from posegen.render.ground_shadows import GroundShadows
from posegen.render.street import ParkedCar, Street, draw_street
from posegen.render.things import Block
from street_canvas import SIZE, WEATHER, level_canvas

GREY = np.array([0.3, 0.3, 0.3])


def plain(marks: tuple[Mark, ...] = (), stains: float = 0.0) -> Street:
    street = draw_street(np.random.default_rng(4))
    ground = replace(
        street.ground, bands=(Band(-100, 100, "concrete", GREY),), marks=marks, wear=0.0,
        stains=stains,
    )  # fmt: skip
    return replace(street, weather=WEATHER, ground=ground, angle=0.0, things=(), cars=(None,) * 6)


def painted(street: Street, pitch: float = 0.0) -> np.ndarray:
    canvas = level_canvas(street.weather, pitch)
    canvas.image[:] = 7
    draw_ground_picture(street, canvas, canvas.upward())
    return canvas.image


@pytest.mark.parametrize("pitch", [0.0, 0.12])
def test_ground_ends_at_the_horizon(pitch: float) -> None:
    image = painted(plain(), pitch)
    horizon = 59.5 - level_canvas().K[1, 1] * np.tan(pitch)
    assert (image[: int(horizon) - 1] == 7).all()
    assert (image[int(horizon) + 2 :] != 7).any(axis=2).all()


def test_equal_steps_on_the_ground_are_denser_far_away() -> None:
    white = np.ones(3)
    places = [-2.0, 2.0, 6.0]
    marks = tuple(Mark(np.array([(x, -9.0), (x, 9.0)]), 0.5, white) for x in places)
    column = painted(plain(marks))[:, 60, 0].astype(int) - painted(plain())[:, 60, 0]
    expected = [level_canvas().project(np.array([[x, 0, 0.0]]))[0][0, 1] for x in places]
    for row, x in zip(expected, places, strict=True):
        assert column[round(float(row)) - 1 : round(float(row)) + 2].max() > 25, x
    assert np.diff(expected)[0] < 1.9 * np.diff(expected)[1] < 0
    between = round(float((expected[0] + expected[1]) / 2))
    assert abs(column[between]) < 10


def test_shadows_fall_away_from_the_sun_and_at_the_feet() -> None:
    box = Block(0.0, 0.0, 0.5, 0.5, 2.0, GREY, 0, 1)
    shadows = GroundShadows(replace(plain(), things=(box,)), np.array([0.0, -0.6, 0.8]))
    light = shadows.light(np.array([-5.0, -5.0]), 10 / 400, 400).astype(int)
    at = {y: light[round((y + 5) * 40), 200] for y in (-3.0, 1.2, 3.5)}
    assert at[-3.0] == at[3.5] == 255
    assert at[1.2] < 255 * (1 - 0.9 * WEATHER.shadow)


def test_a_parked_car_darkens_the_ground_under_it() -> None:
    car = ParkedCar(1.0, 2.0, 0.0, GREY)
    street = replace(plain(), cars=(car, *(None,) * 5))
    shadows = GroundShadows(street, np.array([0.0, 0.0, 1.0]))
    light = shadows.light(np.array([-5.0, -5.0]), 10 / 400, 400)
    assert light[280, 240] < 130
    assert light[80, 80] == 255
    bare = GroundShadows(plain(), np.array([0.0, 0.0, 1.0]))
    assert (bare.light(np.array([-5.0, -5.0]), 10 / 400, 400) == 255).all()


@pytest.mark.parametrize("seed", range(2))
def test_shadows_of_a_part_are_those_of_the_whole(seed: int) -> None:
    street = draw_street(np.random.default_rng(seed))
    street = replace(street, weather=replace(street.weather, shadow=0.7, shadow_blur=0.5))
    shadows = GroundShadows(street, np.array([0.6, -0.4, 0.7]))
    for sheet in ((np.array([-8.0, -8.0]), 16 / 896, 896), (np.array([-50.0, -50.0]), 0.25, 400)):
        light = shadows.light(*sheet)
        assert light.min() < 128 or sheet[2] == 896
        for piece in (Piece(64, 192, 200, 260), Piece(0, 64, 0, 400), Piece(320, 400, 100, 101)):
            part = GroundShadows(street, np.array([0.6, -0.4, 0.7])).light(*sheet, piece)
            assert (part[piece.slices] == light[piece.slices]).all()


def test_grounds_differ_by_seed() -> None:
    pictures = []
    for seed in (1, 2):
        ground = draw_ground(np.random.default_rng(seed))
        pictures.append(painted(replace(plain(), ground=ground)).astype(int))
    assert np.abs(pictures[0] - pictures[1])[70:].mean() > 4
    assert pictures[0].shape == (SIZE, SIZE, 3)
