"""Pictures and outlines of the gallery."""

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_runtime.report.gallery import MAX_POINTS, SHOWN, SIDE, gather, outline_path
from posegen_runtime.report.rows import ReportRow
from tiny_bundle import example_mask


def drawn(path: str, width: int, height: int) -> np.ndarray:
    contours = [
        np.array([[float(v) for v in pair.split()] for pair in part.strip("MZ").split("L")])
        for part in path.split("Z")
        if part
    ]
    corners = [np.round(contour - 0.5).astype(np.int32) for contour in contours]
    return np.asarray(cv2.fillPoly(np.zeros((height, width), np.uint8), corners, 255))


@pytest.mark.parametrize("index", range(4))
def test_an_outline_drawn_again_is_the_mask(index: int) -> None:
    mask = example_mask(index, 96)
    again = drawn(outline_path(mask, 96, 96), 96, 96)
    assert (again > 0)[mask > 0].mean() > 0.99
    overlap = ((again > 0) & (mask > 0)).sum() / ((again > 0) | (mask > 0)).sum()
    assert overlap > 0.97


def test_an_outline_is_scaled_with_its_picture() -> None:
    mask = np.zeros((100, 200), np.uint8)
    mask[20:61, 40:121] = 255
    numbers = [float(v) for v in re.findall(r"[\d.]+", outline_path(mask, 400, 200))]
    assert set(numbers[::2]) == {81.0, 241.0}
    assert set(numbers[1::2]) == {41.0, 121.0}


def test_an_outline_of_noise_is_short_and_one_of_nothing_empty() -> None:
    noise = np.random.default_rng(0).integers(0, 2, (500, 500)).astype(np.uint8) * 255
    assert outline_path(noise, SIDE, SIDE).count("L") <= MAX_POINTS
    assert outline_path(np.zeros((9, 9), np.uint8), 9, 9) == ""


def test_pictures_are_small_keep_their_shape_and_stand_in_run_order(tmp_path: Path) -> None:
    image = np.zeros((500, 1000, 3), np.uint8)
    image[..., 2] = 200  # red
    cv2.imwrite(str(tmp_path / "i.png"), image)
    rows = [(place, ReportRow(mask=f"{place}", state="done", image="i.png")) for place in range(50)]
    gallery = gather(reversed(rows), lambda name: (tmp_path / name).read_bytes())
    assert [picture.place for picture in gallery.pictures] == list(range(50 - SHOWN, 50))
    picture = gallery.pictures[0]
    assert (picture.width, picture.height) == (SIDE, SIDE // 2)
    data = np.frombuffer(base64.b64decode(picture.jpeg), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert pixels.shape == (SIDE // 2, SIDE, 3)
    np.testing.assert_allclose(pixels.mean(axis=(0, 1)), (0, 0, 200), atol=4)
