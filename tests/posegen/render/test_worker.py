"""What lens and sensor draw has nothing to do with what the scene draws."""

import numpy as np

from posegen.render.sensor import Sensor
from posegen.render.worker import sensor_streams

KEYS = [(3, number, frame) for number in range(20) for frame in range(10)]


def test_noise_does_not_follow_the_elevation() -> None:
    sensor = Sensor(noise=(0.0, 10.0))
    # The first number that a view draws is its elevation.
    elevations = [np.random.default_rng(key).uniform(0, 35) for key in KEYS]
    noises = [sensor.draw(sensor_streams(*key)[0]).noise for key in KEYS]
    assert abs(np.corrcoef(elevations, noises)[0, 1]) < 0.2


def test_every_stream_is_another() -> None:
    streams = [np.random.default_rng(key) for key in KEYS]
    streams += [stream for key in KEYS for stream in sensor_streams(*key)]
    assert len({stream.random() for stream in streams}) == 5 * len(KEYS)
