"""The sky: where the horizon is, what it says of the weather."""

from dataclasses import replace

import numpy as np
import pytest

from posegen.render.sky import draw_weather, sky_picture
from street_canvas import WEATHER, level_canvas


@pytest.mark.parametrize("pitch", [0.0, 0.15, -0.1])
def test_the_horizon_is_where_the_camera_says(pitch: float) -> None:
    canvas = level_canvas(pitch=pitch)
    up = canvas.upward()[:, 60]
    row = int(np.flatnonzero(up < 0)[0])
    focal = canvas.K[1, 1]
    assert row == pytest.approx(59.5 - focal * np.tan(pitch), abs=1)
    picture = sky_picture(replace(WEATHER, shadow=0.0), canvas.rays(1)).astype(int)
    horizon = np.round(255 * WEATHER.sky[0])
    assert (picture[row:] == horizon).all(), "below the horizon there is no sky"
    reds = picture[:row, 60, 0]
    assert (np.diff(reds) >= 0).all()
    assert reds[0] < reds[-1] <= horizon[0]


def test_clouds_cover_what_the_threshold_says() -> None:
    rays = level_canvas(pitch=-0.4).rays(1)
    bare = sky_picture(WEATHER, rays).astype(int)
    shares = []
    for threshold in (1.0, 0.0, -1.0):
        clouds = np.array([threshold, 1.0, 0.2, 0.7])
        cloudy = sky_picture(replace(WEATHER, clouds=clouds), rays)
        shares.append(float((np.abs(cloudy - bare).max(axis=2) > 6).mean()))
    assert shares[0] < shares[1] < shares[2]


def test_weathers_differ_by_seed_and_are_valid() -> None:
    drawn = [draw_weather(np.random.default_rng(seed)) for seed in range(60)]
    assert len({float(weather.sun[0]) for weather in drawn}) == len(drawn)
    for weather in drawn:
        assert np.linalg.norm(weather.sun) == pytest.approx(1)
        assert weather.sun[2] > 0.2
        assert weather.sky.min() >= 0
        assert weather.sky.max() <= 1
        assert 0 < weather.shadow < 1
        assert weather.visibility >= 60
    again = draw_weather(np.random.default_rng(3))
    assert np.array_equal(again.sky, drawn[3].sky)
