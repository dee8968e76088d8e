import cv2
import numpy as np
import pytest

from posegen_runtime.noise import gated, is_noise


def noise(grain: int) -> np.ndarray:
    cells = np.random.default_rng(0).random((64 // grain, 64 // grain), dtype=np.float32)
    grey = cv2.resize(cells, (64, 64), interpolation=cv2.INTER_CUBIC)
    return np.where(grey > np.median(grey), 255, 0).astype(np.uint8)


def empty() -> np.ndarray:
    return np.zeros((64, 64), np.uint8)


def far_away() -> np.ndarray:
    """All of it is thinner than 3 pixels."""
    return cv2.rectangle(empty(), (20, 30), (25, 31), 255, -1)


def pole() -> np.ndarray:
    return cv2.line(empty(), (32, 0), (32, 63), 255, 1)


def bicycle() -> np.ndarray:
    mask = cv2.polylines(empty(), [np.array([(16, 44), (28, 26), (48, 44)])], False, 255, 2)
    for centre in ((16, 44), (48, 44)):
        cv2.circle(mask, centre, 14, 255, 2)
        for angle in range(0, 180, 15):
            cv2.ellipse(mask, centre, (14, 0), angle, 0, 360, 255, 1)
    return mask


def test_only_int8_leaves_pixel_noise_out() -> None:
    assert is_noise(noise(1))
    assert [gated(noise(1), name) for name in ("fp32", "fp16", "int8")] == [True, True, False]


@pytest.mark.parametrize("grain", [2, 8, 32])
def test_random_regions_count_for_every_precision(grain: int) -> None:
    assert gated(noise(grain), "int8")


@pytest.mark.parametrize("make", [far_away, pole, bicycle, empty])
def test_no_object_passes_for_noise(make) -> None:
    assert gated(make(), "int8")
