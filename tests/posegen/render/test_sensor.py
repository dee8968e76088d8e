"""Sensor noise and blur are of the size that is asked for."""

import numpy as np
import pytest

from posegen.render.sensor import Exposure, Sensor

GREY = np.full((128, 128, 3), 128, np.uint8)


def edges() -> np.ndarray:
    image = np.zeros((96, 96, 3), np.uint8)
    image[:, 48:], image[48:, :48] = 220, 90
    return image


@pytest.mark.parametrize("noise", [2.0, 9.0])
def test_noise_has_the_asked_deviation(noise: float) -> None:
    seen = Exposure(noise, 0, False, 0).take(GREY, np.random.default_rng(0)).astype(float)
    assert seen.std() == pytest.approx(noise, rel=0.05)
    assert abs(seen.mean() - 128) < 0.3


def test_bright_pixels_are_noisier() -> None:
    rng, exposure = np.random.default_rng(0), Exposure(5.0, 0, False, 0)
    dark = exposure.take(np.full_like(GREY, 40), rng)
    bright = exposure.take(np.full_like(GREY, 200), rng)
    assert bright.std() > 1.2 * dark.std()


@pytest.mark.parametrize("motion", [False, True])
@pytest.mark.parametrize("blur", [0.8, 2.5])
def test_blur_widens_an_edge_by_its_deviation(blur: float, motion: bool) -> None:
    """The derivative of a step that is smeared across is the kernel itself."""
    step = np.zeros((32, 96, 3), np.uint8)
    step[:, 48:] = 250
    seen = Exposure(0, blur, motion, 0.0).take(step, np.random.default_rng(0)).astype(float)
    kernel = np.diff(seen[16, :, 0])
    places = np.arange(len(kernel))
    mean = (kernel * places).sum() / kernel.sum()
    width = np.sqrt((kernel * (places - mean) ** 2).sum() / kernel.sum())
    assert width == pytest.approx(blur, rel=0.3)
    assert mean == pytest.approx(47, abs=0.1)


def test_motion_leaves_edges_along_it() -> None:
    image = edges()
    seen = Exposure(0, 2.0, True, 0.0).take(image, np.random.default_rng(0))
    assert np.array_equal(seen[:, :30], image[:, :30])
    assert not np.array_equal(seen, image)


def test_without_options_nothing_changes() -> None:
    rng = np.random.default_rng(3)
    assert np.array_equal(Sensor().draw(rng).take(edges(), rng), edges())


def test_every_photo_draws_its_own() -> None:
    sensor, rng = Sensor((1, 4), (0.5, 2)), np.random.default_rng(1)
    drawn = [sensor.draw(rng) for _ in range(20)]
    assert len({exposure.noise for exposure in drawn}) == 20
    assert all(1 <= e.noise <= 4 and 0.5 <= e.blur <= 2 for e in drawn)
    assert {e.motion for e in drawn} == {True, False}
