import cv2
import numpy as np
import pytest

from posegen_runtime.noise import gated, is_noise


def noise(grain: int) -> np.ndarray:
    cells = np.random.default_rng(0).random((64 // grain, 64 // grain), dtype=np.float32)
    grey = cv2.resize(cells, (64, 64), interpolation=cv2.INTER_CUBIC)
    return np.where(grey > np.median(grey), 255, 0).astype(np.uint8)


def test_only_int8_leaves_pixel_noise_out() -> None:
    assert is_noise(noise(1))
    assert [gated(noise(1), name) for name in ("fp32", "fp16", "int8")] == [True, True, False]


@pytest.mark.parametrize("mask", [noise(8), noise(32), np.zeros((64, 64), np.uint8)])
def test_regions_count_for_every_precision(mask: np.ndarray) -> None:
    assert gated(mask, "int8")


def test_an_object_of_a_few_pixels_is_no_noise() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[30:34, 20:26] = 255
    assert not is_noise(mask)
