"""Cars stand right, look different from every side, and vary."""

import numpy as np
import pytest

from posegen.render.bop import ply
from posegen.render.camera import View, intrinsics, orbit
from posegen.render.car_body import Body
from posegen.render.car_shapes import STYLES, draw_car
from posegen.render.cars import build_car
from posegen.render.model import Finish, Model
from posegen.render.silhouettes import SilhouetteRenderer


def car(seed: int, style: str | None = None) -> Model:
    return build_car(draw_car(np.random.default_rng(seed), style))


def normals(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Middles and area-weighted normals of all triangles."""
    corners = model.whole.vertices[model.whole.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return corners.mean(axis=1), across


def test_five_styles_are_drawn_by_chance_and_every_one_on_demand() -> None:
    assert {"sedan", "hatchback", "suv", "pickup", "van"} <= set(STYLES)
    drawn = {draw_car(np.random.default_rng(seed)).style for seed in range(120)}
    assert drawn == set(STYLES)
    for style in STYLES:
        assert draw_car(np.random.default_rng(1), style).style == style


@pytest.mark.parametrize("style", STYLES)
def test_origin_is_the_middle_of_the_box_and_sizes_are_those_of_cars(style: str) -> None:
    model = car(2, style)
    vertices = model.whole.vertices
    assert np.isfinite(vertices).all()
    np.testing.assert_allclose(vertices.min(axis=0), -vertices.max(axis=0), atol=1e-9)
    length, width, height = model.size
    assert 3.6 < length < 5.8
    assert 1.6 < width < 2.5  # with mirrors
    assert 1.2 < height < 2.35
    assert len(ply(model.whole)) < 1.5e6


@pytest.mark.parametrize("style", STYLES)
def test_surfaces_look_outwards(style: str) -> None:
    """Triangles high up look up, those at the ends and sides away from the middle."""
    model = car(5, style)
    paint = [p for p in model.parts if p.finish in (Finish.PAINT, Finish.METALLIC)]
    middles, across = normals(Model(tuple(paint)))
    half = model.size / 2
    area = np.linalg.norm(across, axis=1)
    for axis, sign, place in (
        (0, 1, 0.97),
        (0, -1, 0.97),
        (1, 1, 0.80),
        (1, -1, 0.80),
        (2, 1, 0.9),
    ):
        there = sign * middles[:, axis] > place * half[axis]
        assert (sign * across[there, axis]).sum() > 0.3 * area[there].sum(), (axis, sign)


def test_a_closed_surface_has_its_volume_inside() -> None:
    model = car(3, "sedan")
    corners = model.whole.vertices[model.whole.faces]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert 4 < volume < 12  # cubic metres


def test_front_rear_and_sides_are_told_apart_by_colour() -> None:
    for style in STYLES:
        model = car(1, style)
        lamps = next(part for part in model.parts if part.finish is Finish.LAMP)
        red = (lamps.colors[:, 0] > 140) & (lamps.colors[:, 1] < 60)
        white = (lamps.colors == (225, 226, 220)).all(axis=1)
        assert lamps.vertices[red, 0].max() < -0.3 * model.size[0]
        assert lamps.vertices[white, 0].min() > 0.3 * model.size[0]
        whole = model.whole
        exhaust = (whole.colors == (150, 150, 150)).all(axis=1)
        assert exhaust.any()
        assert whole.vertices[exhaust, 1].max() < 0  # on the right only


def test_wheels_touch_the_ground() -> None:
    for seed in range(5):
        model = car(seed)
        matte = next(part for part in model.parts if part.finish is Finish.MATTE)
        assert matte.vertices[:, 2].min() == pytest.approx(-model.size[2] / 2)


def test_patches_lie_on_the_body() -> None:
    body = Body(draw_car(np.random.default_rng(6), "suv"))
    y, z = np.linspace(-0.6, 0.6, 9), np.full(9, body.shape.nose * 0.7)
    for front, sign in ((True, 1), (False, -1)):
        x = body.face(y, z, front)
        assert (sign * x > 0.8 * body.end).all()
        np.testing.assert_allclose(body.side(x, z), np.abs(y), atol=0.05)


def test_only_pickups_have_an_open_bed() -> None:
    for style in STYLES:
        shape = draw_car(np.random.default_rng(8), style)
        assert (shape.bed is not None) == (style == "pickup")
    shape = draw_car(np.random.default_rng(8), "pickup")
    points, model = np.concatenate([p.vertices for p in Body(shape).skin()]), shape.belt
    assert shape.bed is not None
    inside = (np.abs(points[:, 0] - np.mean(shape.bed)) < 0.4) & (np.abs(points[:, 1]) < 0.3)
    above = inside & (points[:, 2] > shape.clearance + 0.1)
    assert points[above, 2].max() < model - 0.3


def test_styles_have_silhouettes_of_their_own() -> None:
    renderer, masks = SilhouetteRenderer(96, 96), {}
    R, t = orbit(np.zeros(3), np.pi / 2, 0.05, 9.0, 0.0)
    for style in STYLES:
        whole = car(4, style).whole
        renderer.load(whole.vertices, whole.faces)
        masks[style] = renderer.render(View(R, t, intrinsics(96, 96, 40), 96, 96)) > 0
    renderer.close()
    names = list(masks)
    for number, first in enumerate(names):
        for second in names[:number]:
            a, b = masks[first], masks[second]
            assert (a & b).sum() / (a | b).sum() < 0.97, (first, second)


def test_proportions_and_paints_vary_and_follow_from_the_seed() -> None:
    sizes = np.array([car(seed).size for seed in range(12)])
    assert (sizes.std(axis=0) > (0.25, 0.05, 0.1)).all()
    paints = {draw_car(np.random.default_rng(seed)).paint for seed in range(30)}
    assert len(paints) > 20
    first, again = (car(4).whole for _ in range(2))
    np.testing.assert_array_equal(first.vertices, again.vertices)
    np.testing.assert_array_equal(first.colors, again.colors)
