"""Cameras and canvases for the tests of what is painted."""

import numpy as np

from posegen.render.camera import View, intrinsics, orbit
from posegen.render.canvas import Canvas
from posegen.render.sky import Weather

SIZE = 120
WEATHER = Weather(
    sky=np.array([[0.8, 0.8, 0.8], [0.2, 0.3, 0.8]]),
    sun=np.array([0.0, -0.6, 0.8]),
    sun_color=np.array([0.7, 0.7, 0.7]),
    fill=0.5,
    shadow=0.6,
    shadow_blur=0.1,
    visibility=1e6,
    clouds=np.array([9.0, 1.0, 0.0, 0.0]),
    cloud_color=np.ones(3),
)
"""Clear air and no clouds."""


def level_view(distance: float = 10.0, height: float = 1.5, pitch: float = 0.0) -> View:
    """From -x towards +x, `pitch` radians downwards; the image spans 40 degrees."""
    away = np.array([np.cos(pitch), 0, np.sin(pitch)]) * distance
    R, t = orbit(np.array([0, 0, height]), np.pi, pitch, distance)
    assert np.allclose(-R.T @ t, (-away[0], 0, height + away[2]))
    return View(R, t, intrinsics(SIZE, SIZE, 40), SIZE, SIZE)


def level_canvas(weather: Weather = WEATHER, pitch: float = 0.0) -> Canvas:
    return Canvas(weather, 0.0, level_view(pitch=pitch), 1.0, 1)
