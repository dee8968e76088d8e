"""Pasting: nothing outside the crop changes, no seam on its border, no rim around the object."""

import cv2
import numpy as np
import pytest

from posegen_runtime.choices import Fit
from posegen_runtime.frames.paste import paste
from posegen_runtime.geometry import Placement, place
from posegen_runtime.images import resize

SIZE = 64, 64
RED = np.array([200, 30, 30], np.uint8)


def street(seed: int, height: int = 360, width: int = 640) -> np.ndarray:
    """A picture with structure at every scale, as photos have it, and a sensor's noise."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3), np.float32)
    for cells in (4, 16, 64, 128):
        rough = rng.normal(0, 1, (cells, 2 * cells, 3)).astype(np.float32)
        image += cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC) * 90 / cells**0.5
    image += rng.normal(0, 2, image.shape)
    return np.clip(image + 120, 0, 255).astype(np.uint8)


def car(height: int, width: int, center: tuple[int, int], size: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, center, (size, size * 2 // 3), 20, 0, 360, 255, -1)
    return mask


def generated(seen: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A red object with a shadow around it; its background comes out a bit brighter everywhere."""
    inside = cv2.GaussianBlur(mask, (0, 0), 0.7).astype(np.float32)[..., None] / 255
    shadow = cv2.GaussianBlur(np.roll(mask, 5, axis=0), (0, 0), 2).astype(np.float32) / 255
    around = seen * (1 - 0.6 * shadow[..., None]) + 6
    return np.clip(inside * RED + (1 - inside) * around, 0, 255).astype(np.uint8)


def made(seed: int, center: tuple[int, int], size: int) -> tuple[np.ndarray, ...]:
    """(frame before, frame after, one with the enlarged crop in it, silhouette, placement)."""
    frame = street(seed)
    mask = car(*frame.shape[:2], center, size)
    placement = place(mask, SIZE, Fit.OBJECT)
    seen = placement.background(frame)
    crop_mask = placement.mask(mask)
    image = generated(seen, crop_mask)
    x0, y0, x1, y1 = placement.window
    after, plain = frame.copy(), frame.copy()
    paste(after, mask[y0:y1, x0:x1], crop_mask, placement, image, seen)
    plain[y0:y1, x0:x1] = resize(image, (y1 - y0, x1 - x0))
    return frame, after, plain, mask, placement


PLACES = [
    *(((320, 180), size) for size in (12, 20, 40, 80, 120)),
    *(((x, y), 30) for x, y in ((40, 40), (600, 60), (30, 330), (610, 320))),
]


@pytest.mark.parametrize(("center", "size"), PLACES)
def test_nothing_outside_the_crop_changes(center: tuple[int, int], size: int) -> None:
    before, after, _, _, placement = made(1, center, size)
    x0, y0, x1, y1 = placement.window
    outside = np.ones(before.shape[:2], bool)
    outside[y0:y1, x0:x1] = False
    assert np.array_equal(after[outside], before[outside])
    assert not np.array_equal(after, before)


def border_over_surroundings(image: np.ndarray, placement: Placement) -> tuple[float, float]:
    """Sums of gradients across the window's four sides, and of the mean ones beside them."""
    grey = image.astype(np.float64).mean(axis=2)
    x0, y0, x1, y1 = placement.window
    border = around = 0.0
    for values, lines, (first, last) in ((grey, (y0, y1), (x0, x1)), (grey.T, (x0, x1), (y0, y1))):
        for line in lines:
            if 8 < line < values.shape[0] - 8:
                steps = np.abs(np.diff(values[line - 7 : line + 7, first:last], axis=0))
                border += steps[6].sum()
                around += np.delete(steps, 6, axis=0).mean(axis=0).sum()
    return border, around


def test_a_seam_cannot_be_found_by_its_edge() -> None:
    pasted, plain = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        center = int(rng.integers(160, 480)), int(rng.integers(120, 240))
        _, after, naive, _, placement = made(seed, center, int(rng.integers(15, 75)))
        pasted.append(border_over_surroundings(after, placement))
        plain.append(border_over_surroundings(naive, placement))
    border, around = np.sum(pasted, axis=0)
    assert abs(border / around - 1) < 0.05
    border, around = np.sum(plain, axis=0)
    assert border / around > 1.2, "what only puts the enlarged crop there is found"


@pytest.mark.parametrize("size", [12, 40, 110])
def test_the_object_has_no_rim_and_the_full_silhouette(size: int) -> None:
    before, after, _, mask, _ = made(3, (320, 180), size)
    inside = cv2.erode(mask, np.ones((5, 5))) > 0
    assert np.abs(after[inside].astype(int) - RED).max() <= 3
    # Above the object, where no shadow is: nothing red has run over its edge.
    ring = (cv2.dilate(mask, np.ones((11, 11))) > 0) & (cv2.dilate(mask, np.ones((7, 7))) == 0)
    ring[180 - size // 3 :] = False
    change = after[ring].astype(int) - before[ring]
    assert abs(change[:, 0].mean() - change[:, 1].mean()) < 4


def test_a_shadow_comes_along() -> None:
    before, after, _, mask, placement = made(5, (320, 180), 60)
    below = np.roll(mask, round(5 / placement.sy), axis=0) & ~cv2.dilate(mask, np.ones((9, 9)))
    change = after.astype(int).mean(axis=2) - before.mean(axis=2)
    assert change[below > 0].mean() < -10


def test_a_generator_that_changes_no_background_changes_no_pixel_of_it() -> None:
    frame = street(8)
    mask = car(*frame.shape[:2], (320, 180), 50)
    placement = place(mask, SIZE, Fit.OBJECT)
    seen, crop_mask = placement.background(frame), placement.mask(mask)
    image = np.where(crop_mask[..., None] > 0, RED, seen)
    x0, y0, x1, y1 = placement.window
    after = frame.copy()
    paste(after, mask[y0:y1, x0:x1], crop_mask, placement, image, seen)
    far = cv2.dilate(mask, np.ones((15, 15))) == 0
    assert np.array_equal(after[far], frame[far])


@pytest.mark.parametrize("size", [(63, 2), (2, 63), (3, 3)])
def test_what_is_thin_keeps_its_colour(size: tuple[int, int]) -> None:
    frame = street(9)
    mask = np.zeros(frame.shape[:2], np.uint8)
    mask[150 : 150 + size[0], 300 : 300 + size[1]] = 255
    placement = place(mask, SIZE, Fit.OBJECT)
    seen, crop_mask = placement.background(frame), placement.mask(mask)
    x0, y0, x1, y1 = placement.window
    image = np.where(crop_mask[..., None] > 0, RED, seen)
    paste(frame, mask[y0:y1, x0:x1], crop_mask, placement, image, seen)
    middle = frame[150 + size[0] // 2, 300 + size[1] // 2]
    assert middle[0] > middle[1] + 60
