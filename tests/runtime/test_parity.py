import math

import numpy as np
import pytest

from posegen_runtime.parity import GATES, IDENTICAL_PSNR, compare, grow


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
    assert GATES["fp32"].missed(figures) == []


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
    assert GATES["fp32"].missed(figures) == ["mean_difference 0.01389, must be at most 0.01"]


def test_every_missed_figure_is_named(reference, masks):
    figures = compare(255 - reference, reference, masks)
    missed = GATES["fp32"].missed(figures)
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
    (missed,) = GATES["fp32"].missed(figures)
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


def independent_ssim(a, b):
    """[N, H, W, 3] → [N, H, W] by a dense 2-D window in torch, which shares no code with cv2."""
    import torch
    from torch.nn import functional as F

    offsets = torch.arange(-5, 6, dtype=torch.float64)
    line = torch.exp(-(offsets**2) / (2 * 1.5**2))
    window = torch.outer(line, line)
    window = (window / window.sum()).expand(3, 1, 11, 11)

    def weighted(x):
        # Mirrored with the edge pixel itself, which F.pad's reflect leaves out.
        x = torch.cat([x[..., :5].flip(-1), x, x[..., -5:].flip(-1)], -1)
        x = torch.cat([x[..., :5, :].flip(-2), x, x[..., -5:, :].flip(-2)], -2)
        return F.conv2d(x, window, groups=3)

    a, b = (torch.from_numpy(x.astype(np.float64)).permute(0, 3, 1, 2) for x in (a, b))
    mean_a, mean_b = weighted(a), weighted(b)
    var_a, var_b = weighted(a * a) - mean_a**2, weighted(b * b) - mean_b**2
    covariance = weighted(a * b) - mean_a * mean_b
    c1, c2 = 2.55**2, 7.65**2
    values = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    values /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return values.mean(dim=1).numpy()


def test_ssim_is_that_of_an_independent_implementation(reference, masks):
    noise = np.random.default_rng(1).normal(0, 20, reference.shape)
    images = np.clip(reference + noise, 0, 255).astype(np.uint8)
    figures = compare(images, reference, masks, ssim=True)
    expected = independent_ssim(images, reference)
    inside = grow(masks > 127, 4)
    assert 0.5 < expected.mean() < 0.99
    assert figures.whole.ssim == pytest.approx(expected.mean(), abs=1e-9)
    assert figures.silhouette.ssim == pytest.approx(expected[inside].mean(), abs=1e-9)
    assert figures.ssim == min(figures.whole.ssim, figures.silhouette.ssim)


def test_ssim_of_flat_images_is_known():
    """Without variance only the luminance term is left: (2ab + c1) / (a² + b² + c1)."""
    a, b = (np.full((1, 16, 16, 3), level, np.uint8) for level in (100, 150))
    figures = compare(a, b, np.full((1, 16, 16), 255, np.uint8), ssim=True)
    known = (2 * 100 * 150 + 2.55**2) / (100**2 + 150**2 + 2.55**2)
    assert figures.ssim == pytest.approx(known, abs=1e-9)
    assert compare(a, a, np.zeros((1, 16, 16), np.uint8), ssim=True).ssim == pytest.approx(1)


def test_images_without_a_silhouette_do_not_raise_its_ssim(reference, masks):
    masks[1:] = 0
    images = reference.copy()
    images[0] = 255 - images[0]
    figures = compare(images, reference, masks, ssim=True)
    assert figures.silhouette.ssim < 0 < figures.whole.ssim
    assert figures.ssim == figures.silhouette.ssim


def test_each_precision_has_its_gate(reference, masks):
    assert {name: gate.precision for name, gate in GATES.items()} == {
        "fp32": "fp32",
        "fp16": "fp16",
        "int8": "int8",
    }
    assert [name for name, gate in GATES.items() if gate.needs_ssim] == ["int8"]
    noise = np.random.default_rng(2).normal(0, 1, reference.shape)

    def missed(precision, scale):
        images = np.clip(np.rint(reference + scale * noise), 0, 255).astype(np.uint8)
        gate = GATES[precision]
        figures = compare(images, reference, masks, ssim=gate.needs_ssim)
        return [line.split()[0] for line in gate.missed(figures)]

    # Noise of deviation s has a PSNR of about 48 - 20 log10(s) dB.
    assert missed("fp32", 1) == ["max_difference", "mean_difference"]
    assert missed("fp16", 1) == []
    assert missed("fp16", 3) == ["psnr"]
    assert missed("fp16", 6) == ["psnr", "psnr_worst"]
    assert missed("int8", 6) == []
    assert missed("int8", 10) == ["psnr"]


def test_a_figure_that_was_not_measured_is_a_miss(reference, masks):
    assert GATES["int8"].missed(compare(reference, reference, masks)) == ["ssim was not measured"]


def test_lost_structure_misses_the_int8_gate_though_psnr_holds():
    """Faint texture, flattened: a small error that SSIM sees."""
    texture = np.random.default_rng(3).integers(-4, 5, (1, 32, 32, 3))
    reference = (128 + texture).astype(np.uint8)
    figures = compare(
        np.full_like(reference, 128), reference, np.full((1, 32, 32), 255, np.uint8), ssim=True
    )
    assert figures.psnr > 30
    assert [line.split()[0] for line in GATES["int8"].missed(figures)] == ["ssim"]
