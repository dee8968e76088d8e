"""Objects laid over scenes: what lies under them, their edges, their labels."""

import numpy as np
import pytest

from posegen.experiments.usefulness.pasting import cut_and_paste, over

SIDE = 48


def scene(level: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), level, np.uint8)


def test_covered_pixels_are_the_object_and_open_ones_the_scene() -> None:
    cover = np.zeros((1, SIDE, SIDE), np.uint8)
    cover[:, :, 16:32], cover[:, :, 15] = 255, 128
    objects = np.round(200 * (cover[..., None] / 255) * np.ones(3)).astype(np.uint8)
    image = over(objects, cover, scene(40)[None])[0]
    assert (image[:, 16:32] == 200).all()
    assert (image[:, :15] == 40).all()
    assert abs(int(image[0, 15, 0]) - 120) <= 1


@pytest.mark.parametrize("seed", range(6))
def test_a_cut_out_lies_where_its_label_says_and_wholly_inside(seed: int) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[10:22, 5:30] = 255
    photo = np.where(mask[..., None] > 0, 230, 90).astype(np.uint8).repeat(3, -1)
    image, label = cut_and_paste(photo, mask, scene(10), np.random.default_rng(seed))
    assert label.any()
    assert set(np.unique(label)) == {0, 255}
    assert not any(edge.any() for edge in (label[0], label[-1], label[:, 0], label[:, -1]))
    bright = image[..., 0] > 125
    assert (bright == (label > 0)).mean() > 0.97
    far = image[~np.asarray(bright)][..., 0]
    assert np.median(far) == 10


def test_cut_outs_move() -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[10:22, 5:30] = 255
    rng = np.random.default_rng(0)
    labels = [cut_and_paste(scene(200), mask, scene(0), rng)[1] for _ in range(8)]
    areas = [np.count_nonzero(one) for one in labels]
    assert max(areas) > 1.2 * min(areas)
    assert len({one.tobytes() for one in labels}) == 8


def test_an_empty_mask_leaves_the_scene() -> None:
    empty = np.zeros((SIDE, SIDE), np.uint8)
    image, label = cut_and_paste(scene(200), empty, scene(7), np.random.default_rng(0))
    assert (image == 7).all()
    assert not label.any()
