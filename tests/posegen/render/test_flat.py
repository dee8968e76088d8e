"""The simulator's look: the silhouette's shape, one tone a triangle, no light from anywhere."""

import cv2
import numpy as np
import pytest

from posegen.render.camera import View, intrinsics, orbit
from posegen.render.car_shapes import draw_car
from posegen.render.cars import build_car
from posegen.render.flat import FlatRenderer
from posegen.render.model import Finish, Model, Part
from posegen.render.silhouettes import SilhouetteRenderer

SIDE = 64


@pytest.fixture(scope="module")
def renderer() -> FlatRenderer:
    return FlatRenderer(SIDE, SIDE)


def view(yaw: float, distance: float = 9.0) -> View:
    R, t = orbit(np.zeros(3), yaw, 0.0, distance)
    return View(R, t, intrinsics(SIDE, SIDE, 40), SIDE, SIDE)


def cube() -> Model:
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    squares = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [f for a, b, c, d in squares for f in ((a, b, c), (a, c, d))]
    colors = np.full((8, 3), (200, 100, 40), np.uint8)
    return Model((Part(corners, np.array(faces, np.int32), colors, Finish.PAINT),))


def test_a_face_has_one_tone_and_darkens_when_it_turns_away(renderer: FlatRenderer) -> None:
    renderer.load(cube())
    straight, cover = renderer.render(view(0.0))
    inside = cv2.erode(cover, np.ones((5, 5), np.uint8)) == 255
    assert np.ptp(straight[inside], axis=0).max() <= 12  # the camera is near: sight lines differ
    assert np.abs(np.median(straight[inside], axis=0) - (200, 100, 40)).max() <= 8
    turned, cover = renderer.render(view(np.pi / 4))
    inside = cv2.erode(cover, np.ones((5, 5), np.uint8)) == 255
    assert np.median(turned[inside][:, 0]) < 185


def test_colour_lies_inside_the_exact_silhouette(renderer: FlatRenderer) -> None:
    model = build_car(draw_car(np.random.default_rng(4)))
    renderer.load(model)
    exact = SilhouetteRenderer(SIDE, SIDE)
    exact.load(model.whole.vertices, model.whole.faces)
    for yaw in (0.3, 2.0, 4.4):
        image, cover = renderer.render(view(yaw))
        mask = exact.render(view(yaw))
        assert ((cover > 127) == (mask > 0)).mean() > 0.98
        assert not image[cover == 0].any()
        assert (image[cover == 255].max(axis=-1) > 0).mean() > 0.98
