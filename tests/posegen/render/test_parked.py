"""Parked cars: as large as their distance says, in their paint, only where they can be seen."""

from dataclasses import replace

import numpy as np
import pytest

from posegen.render.offscreen import Window
from posegen.render.parked import Parked
from posegen.render.street import POOL, ParkedCar, Street, draw_street
from street_canvas import SIZE, WEATHER, level_view

RED = np.array([0.7, 0.05, 0.05])


@pytest.fixture(scope="module")
def street() -> Street:
    drawn = draw_street(np.random.default_rng(1))
    return replace(drawn, weather=WEATHER, angle=0.0, cars=(None,) * POOL)


@pytest.fixture(scope="module")
def window() -> tuple[Window, Parked]:
    window = Window(SIZE, SIZE)
    window.plotter.set_background("black")
    return window, Parked(window.plotter, 0)


def picture(window: tuple[Window, Parked], street: Street, car: ParkedCar | None) -> np.ndarray:
    view = level_view()
    window[1].update(car, street, view, 1.0)
    window[0].look(view, 0.5, 200)
    return window[0].pixels()


def test_size_follows_from_the_distance(window: tuple[Window, Parked], street: Street) -> None:
    wide = []
    for x in (5.0, 20.0):  # 15 and 30 metres from the camera, seen from its side
        image = picture(window, street, ParkedCar(x, 0.0, np.pi / 2, RED))
        columns = np.flatnonzero(image.any(axis=(0, 2)))
        wide.append((columns[-1] - columns[0]) / level_view().K[0, 0] * (x + 10))
    assert 3.2 < wide[1] < 5.2, "metres"
    assert wide[0] == pytest.approx(wide[1], rel=0.1)


def test_it_has_its_paint_and_stands_on_the_ground(
    window: tuple[Window, Parked], street: Street
) -> None:
    image = picture(window, street, ParkedCar(8.0, 0.0, np.pi / 2, RED)).astype(int)
    rows = np.flatnonzero(image.any(axis=(1, 2)))
    foot = level_view().project(np.array([[7.2, 0, 0.0]]))[0, 1]
    assert rows[-1] == pytest.approx(foot, abs=1.5)
    red = (image[..., 0] > 1.4 * image[..., 2] + 5) & (image.max(axis=2) > 0)
    assert red.sum() > 0.25 * image.any(axis=2).sum()


def test_none_and_out_of_view_show_nothing(window: tuple[Window, Parked], street: Street) -> None:
    assert picture(window, street, None).max() == 0
    assert picture(window, street, ParkedCar(0.0, 30.0, 0.0, RED)).max() == 0
