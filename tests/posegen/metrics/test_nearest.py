import numpy as np
import pytest

from posegen.evaluation.pose import iou
from posegen.metrics import nearest
from posegen.metrics.nearest import closest, pack
from posegen_runtime.errors import PoseGenError


def drawn(count: int, seed: int, size: int = 21) -> np.ndarray:
    """Rectangles; an odd number of pixels, so that the last byte is not full."""
    generator = np.random.default_rng(seed)
    masks = np.zeros((count, size, size), np.uint8)
    for mask in masks:
        top, left = generator.integers(0, size - 4, 2)
        height, width = generator.integers(3, size, 2)
        mask[top : top + height, left : left + width] = 255
    return masks


def test_every_pair_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, training = drawn(23, 0), drawn(50, 1)
    pairs = np.stack([iou(training > 0, np.repeat(mask[None] > 0, 50, 0)) for mask in wanted])
    monkeypatch.setattr(nearest, "WANTED_BLOCK", 10)
    monkeypatch.setattr(nearest, "TRAINING_BLOCK", 8)
    rows, overlap = closest(pack([wanted[:9], wanted[9:]]), pack([training]))
    np.testing.assert_array_equal(rows, pairs.argmax(axis=1))
    np.testing.assert_allclose(overlap, pairs.max(axis=1), rtol=1e-12)


def test_itself_is_closest_and_the_first_of_equals() -> None:
    masks = drawn(20, 2)
    rows, overlap = closest(pack([masks]), pack([masks, masks]))
    np.testing.assert_array_equal(masks[rows], masks)
    assert (rows < 20).all()
    assert (overlap == 1).all()


def test_empty_masks() -> None:
    empty, full = np.zeros((1, 8, 8), np.uint8), np.full((1, 8, 8), 255, np.uint8)
    rows, overlap = closest(pack([np.concatenate([empty, full])]), pack([empty]))
    assert rows.tolist() == [0, 0]
    assert np.isnan(overlap[0])
    assert overlap[1] == 0


def test_masks_of_two_sizes() -> None:
    with pytest.raises(PoseGenError, match="of 64 and of 441 pixels"):
        closest(pack([drawn(2, 0, 8)]), pack([drawn(2, 0)]))
