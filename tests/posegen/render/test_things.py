"""Things along a street: where they stand, what hides what, that all kinds can be painted."""

from dataclasses import replace

import numpy as np
import pytest

from posegen.render.canvas import upwards
from posegen.render.foliage import KINDS
from posegen.render.plants import Hedge, Tree
from posegen.render.scenery import backdrop
from posegen.render.street import draw_street
from posegen.render.things import Block, Building, Post, Thing, Wall, corners
from street_canvas import WEATHER, level_canvas, level_view

EVERY = [
    *((Building, kind) for kind in range(6)),
    *((Tree, kind) for kind in range(len(KINDS))),
    *((Post, kind) for kind in range(3)),
    *((Wall, kind) for kind in range(3)),
    (Hedge, 0), (Block, 0), (Block, 1),
]  # fmt: skip


def thing(kind: type[Thing], style: int, x: float = 0.0, seed: int = 5) -> Thing:
    return kind(x, 0.0, 0.8, 0.8, 2.0, np.array([0.5, 0.4, 0.3]), style, seed)


@pytest.mark.parametrize(("kind", "style"), EVERY)
def test_each_is_painted_within_its_box(kind: type[Thing], style: int) -> None:
    canvas = level_canvas()
    one = thing(kind, style)
    one.paint(canvas)
    painted = canvas.image.max(axis=2) > 0
    pixels, _ = canvas.project(corners((one,))[0])
    (left, _), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
    middle = painted[:, int((left + right) / 2) - 2 : int((left + right) / 2) + 3]
    assert middle.any(), "nothing was painted"
    assert not painted[int(bottom) + 2 :].any(), "painted below its foot"
    room = 10 if kind in (Post, Building) else 3  # lamps and eaves reach out
    assert not painted[:, : int(left) - room].any()
    assert not painted[:, int(right) + room :].any()
    if kind not in (Post, Tree) and (kind, style) != (Wall, 2):  # seen through
        (x, y), _ = canvas.project(np.array([[-0.8, 0, 0.6]]))[0][0], None
        assert canvas.image[round(float(y)), round(float(x))].max() > 20


@pytest.mark.parametrize("kind", [Building, Hedge, Wall, Block])
def test_the_nearer_hides_the_further(kind: type[Thing]) -> None:
    far = Building(20.0, 0.0, 1.0, 2.0, 2.0, np.array([0.9, 0.1, 0.1]), 0, 1)
    near = replace(thing(kind, 0, x=-4.0), half_x=0.3, half_y=2.5, height=2.6)
    street = draw_street(np.random.default_rng(1))
    nothing = replace(street, weather=WEATHER, angle=0.0, cars=(None,) * 6)
    order = [(near, far), (far, near)]
    pictures = [backdrop(replace(nothing, things=things), level_view(), 1.0, 1) for things in order]
    assert np.array_equal(pictures[0], pictures[1]), "the order in the list decides"
    alone = backdrop(replace(nothing, things=(near,)), level_view(), 1.0, 1)
    pixels, _ = level_canvas().project(corners((far,))[0])
    (left, top), (right, bottom) = pixels.min(axis=0).astype(int), pixels.max(axis=0).astype(int)
    behind = slice(top + 2, bottom - 8), slice(left + 2, right - 1)
    bare = backdrop(replace(nothing, things=(far,)), level_view(), 1.0, 1)
    assert np.array_equal(alone[behind], pictures[0][behind])
    assert np.abs(bare[behind].astype(int) - alone[behind]).mean() > 10


def test_solids_stand_in_their_boxes() -> None:
    for kind, style in EVERY:
        one = thing(kind, style)
        low, high = corners((one,))[0].min(axis=0), corners((one,))[0].max(axis=0)
        for foot, top in one.solids():
            for points in (foot, top):
                assert (points[:, 2] >= -1e-9).all()
                assert (points[:, 2] <= high[2] + 0.2).all()
                assert (points[:, :2] >= low[:2] - 1e-9).all()
    assert corners((thing(Block, 0),))[0, 4:] == pytest.approx(
        corners((thing(Block, 0),))[0, :4] + upwards(2.0)
    )
