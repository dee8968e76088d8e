"""Only what the camera sees is painted, and all of that."""

import numpy as np
import pytest

from posegen.render import ground
from posegen.render.canvas import Canvas
from posegen.render.ground_seen import Piece, seen_pieces
from posegen.render.poses import PoseRange, draw_view
from posegen.render.scenery import backdrop, seen_street
from posegen.render.street import draw_street
from street_canvas import WEATHER

SIZE = 320
CAR = np.array([(x, y, z) for x in (-2.2, 2.2) for y in (-0.9, 0.9) for z in (0, 1.5)])
SEEDS = range(10)


def canvas_of(seed: int) -> Canvas:
    rng = np.random.default_rng(seed)
    return Canvas(WEATHER, 0.3, draw_view(rng, PoseRange(), CAR, 96, 64), 1.0, 1)


def whole(*arguments: object) -> list[Piece]:
    size = arguments[3]
    assert isinstance(size, int)
    return [Piece(0, size, 0, size)]


@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_pieces_hold_every_pixel_that_is_looked_up(seed: int, endless: bool) -> None:
    canvas, pixel, low = canvas_of(seed), 0.1, -16.0
    to_ground = np.array([[pixel, 0, low], [0, pixel, low], [0, 0, 1]])
    to_sheet = np.linalg.inv(canvas.plane() @ to_ground)
    pieces = seen_pieces(to_sheet, canvas.width, canvas.height, SIZE, endless)
    painted = np.zeros((SIZE, SIZE), bool)
    for piece in pieces:
        painted[piece.slices] = True
    rows, columns = np.nonzero(canvas.upward() < -1e-6)
    places = np.stack([columns, rows, np.ones_like(rows)], axis=1) @ to_sheet.T
    x, y = np.floor(places[:, :2] / places[:, 2:]).T
    if endless:
        x, y = np.clip([x, y], 0, SIZE - 1)
    inside = (x >= 0) & (y >= 0) & (x < SIZE) & (y < SIZE)
    assert inside.any()
    assert painted[y[inside].astype(int), x[inside].astype(int)].all()
    assert painted.mean() < 0.9


def test_a_camera_that_looks_up_sees_no_piece() -> None:
    flip = np.diag([1.0, 1.0, -1.0])
    assert seen_pieces(flip, 64, 64, SIZE, endless=True) == []


def test_the_picture_is_that_of_ground_painted_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = []
    for _ in range(2):
        shots = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            view = draw_view(rng, PoseRange(), CAR, 96, 64)
            street = seen_street(draw_street(rng), view, 2.5, 1.0)
            shots.append(backdrop(street, view, 1.0, 2))
        pictures.append(shots)
        monkeypatch.setattr(ground, "seen_pieces", whole)
    assert (np.array(pictures[0]) == np.array(pictures[1])).all()
