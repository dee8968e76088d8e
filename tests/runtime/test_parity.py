import math

import numpy as np
import pytest

from posegen_runtime.parity import FP32_GATE, IDENTICAL_PSNR, compare, grow


@pytest.fixture
def reference():
    return np.random.default_rng(0).integers(10, 240, (3, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def masks():
    masks = np.zeros((3, 32, 32), np.uint8)
    masks[:, 12:16, 12:16] = 255
    return masks


def test_identical_images_pass(reference, masks):
    figures = compare(reference.copy(), reference, masks)
    assert figures.max_difference == figures.mean_difference == 0
    assert figures.psnr == figures.psnr_worst == IDENTICAL_PSNR
    assert FP32_GATE.missed(figures) == []


def test_figures_by_hand(reference, masks):
    images = reference.copy()
    images[1, 0, 0, 0] += 3
    images[2, 13, 13, 2] -= 2
    figures = compare(images, reference, masks)
    values = 32 * 32 * 3
    assert figures.whole.max_difference == 3
    assert figures.whole.mean_difference == pytest.approx(5 / (3 * values))
    assert figures.whole.psnr == pytest.approx(10 * math.log10(255**2 * 3 * values / 13))
    assert figures.whole.psnr_worst == pytest.approx(10 * math.log10(255**2 * values / 9))
    assert figures.whole.worst_image == 1
    # The silhouette of 4×4 grows to 12×12, and only the second change lies in it.
    assert figures.silhouette.max_difference == 2
    assert figures.silhouette.mean_difference == pytest.approx(2 / (3 * 12 * 12 * 3))
    assert figures.silhouette.worst_image == 2


def test_a_small_broken_object_counts_though_the_whole_image_passes(reference, masks):
    images = reference.copy()
    images[0, 12, 12:18] += 1
    figures = compare(images, reference, masks)
    assert figures.whole.mean_difference < 0.01 < figures.silhouette.mean_difference
    assert FP32_GATE.missed(figures) == ["mean_difference 0.01389, must be at most 0.01"]


def test_every_missed_figure_is_named(reference, masks):
    figures = compare(255 - reference, reference, masks)
    missed = FP32_GATE.missed(figures)
    assert [line.split()[0] for line in missed] == ["max_difference", "mean_difference"]
    assert "must be at most 1" in missed[0]


def test_uint8_differences_do_not_wrap(masks):
    black = np.zeros((3, 32, 32, 3), np.uint8)
    assert compare(black + np.uint8(255), black, masks).max_difference == 255
    assert compare(black, black + np.uint8(255), masks).max_difference == 255


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: np.where(x == x.max(), np.nan, x.astype(np.float32)), "NaN or infinity"),
        (lambda x: np.where(x == x.max(), np.inf, x.astype(np.float32)), "NaN or infinity"),
        (lambda x: x.astype(np.float32), "float32, must be uint8"),
        (lambda x: x[:2], "shape (2, 32, 32, 3)"),
        (lambda x: x.transpose(0, 3, 1, 2), "shape (3, 3, 32, 32)"),
    ],
)
def test_unusable_output_fails_first(reference, masks, spoil, message):
    figures = compare(spoil(reference), reference, masks)
    (missed,) = FP32_GATE.missed(figures)
    assert message in missed
    assert figures.max_difference == 255


def test_masks_must_fit_the_reference(reference, masks):
    with pytest.raises(ValueError, match="does not fit"):
        compare(reference, reference, masks[:2])


def test_grow_reaches_four_pixels_and_stays_in_the_image():
    silhouettes = np.zeros((1, 20, 20), bool)
    silhouettes[0, 10, 2] = True
    grown = grow(silhouettes, 4)
    assert grown[0, 6:15, 0:7].all()
    assert grown.sum() == 9 * 7


def test_an_empty_mask_measures_the_whole_image(reference, masks):
    images = reference.copy()
    images[:, 0, 0] += 2
    figures = compare(images, reference, np.zeros_like(masks))
    assert figures.silhouette.max_difference == 0
    assert figures.max_difference == 2
