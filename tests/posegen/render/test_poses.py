"""Views of a data set stay in their ranges and in the image."""

import numpy as np
import pytest

from posegen.render.camera import span
from posegen.render.poses import PoseRange, draw_view

POINTS = np.array([[x, y, z] for x in (-2.2, 2.2) for y in (-0.9, 0.9) for z in (0, 1.5)], float)


def views(count: int, ranges: PoseRange, whole: bool = False) -> list:
    rng = np.random.default_rng(0)
    return [draw_view(rng, ranges, POINTS, 96, 64, whole) for _ in range(count)]


def inside(view: object) -> bool:
    x0, y0, x1, y1 = span(view, POINTS)  # type: ignore[arg-type]
    return x0 >= 0 and y0 >= 0 and x1 <= 95 and y1 <= 63


def test_objects_are_whole_but_for_the_share_allowed() -> None:
    assert all(inside(view) for view in views(200, PoseRange(), whole=True))
    assert all(inside(view) for view in views(200, PoseRange(truncated=0)))
    cut = np.mean([not inside(view) for view in views(400, PoseRange(truncated=0.25))])
    assert 0.17 < cut < 0.33


def test_fill_and_places_vary() -> None:
    boxes = np.array([span(v, POINTS) for v in views(300, PoseRange(truncated=0, fill=(0.4, 0.8)))])
    share = np.maximum((boxes[:, 2] - boxes[:, 0]) / 96, (boxes[:, 3] - boxes[:, 1]) / 64)
    assert 0.35 < share.min() < 0.45
    assert 0.72 < share.max() < 0.88
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert (middles.std(axis=0) > (5, 3)).all()


@pytest.mark.parametrize("bounds", [(0.0, 5.0), (60.0, 80.0)])
def test_elevation_range_is_kept(bounds: tuple[float, float]) -> None:
    centre = np.array([0, 0, 0.75])
    for view in views(60, PoseRange(elevation=bounds)):
        away = view.position - centre
        elevation = np.degrees(np.arcsin(away[2] / np.linalg.norm(away)))
        assert bounds[0] - 3 <= elevation <= bounds[1] + 3  # moving back shifts it a little


def test_yaw_goes_all_round() -> None:
    yaws = [np.arctan2(*view.position[1::-1]) for view in views(200, PoseRange())]
    assert len(np.unique(np.floor(np.degrees(yaws) / 45))) == 8
