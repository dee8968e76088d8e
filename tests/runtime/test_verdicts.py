"""The figures of two silhouettes, by hand and beside the evaluation's."""

import numpy as np
import pytest

from posegen.evaluation.pose import iou, resized_masks
from posegen_runtime.ledger.entries import ImageData
from posegen_runtime.report.verified import silhouette
from posegen_runtime.verdicts import Verdict, at_size, compared
from tiny_bundle import example_mask


def square(row: int, column: int, side: int = 4) -> np.ndarray:
    mask = np.zeros((20, 20), bool)
    mask[row : row + side, column : column + side] = True
    return mask


def test_the_same_silhouette_and_none() -> None:
    same = compared(square(3, 3), square(3, 3))
    assert (same.iou, same.shift, same.size_ratio) == (1, 0, 1)
    nothing = compared(square(3, 3), np.zeros((20, 20), bool))
    assert (nothing.iou, nothing.shift, nothing.size_ratio) == (0, None, 0)


def test_a_shift_is_a_share_of_the_diagonal_and_a_size_that_of_the_area() -> None:
    moved = compared(square(3, 3), square(6, 7))
    assert moved.shift == pytest.approx(5 / np.hypot(4, 4), abs=1e-4)
    assert moved.iou == 0
    larger = compared(square(4, 4), square(3, 3, 6))
    assert (larger.size_ratio, larger.shift) == (2.25, 0)
    assert larger.iou == pytest.approx(16 / 36, abs=1e-4)


@pytest.mark.parametrize("size", [128, 50])
def test_the_iou_is_that_of_the_evaluation(size: int) -> None:
    asked = np.stack([example_mask(index, 256) for index in range(6)])
    found = resized_masks(np.roll(asked, 1, axis=0), size)
    expected = iou(found, resized_masks(asked, size))
    ours = [compared(at_size(a, size), f).iou for a, f in zip(asked, found, strict=True)]
    assert ours == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_silhouette_thinner_than_a_pixel_is_still_one() -> None:
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 100] = 255
    assert at_size(mask, 64).sum() == 64


def test_the_silhouettes_come_back_from_the_ledger() -> None:
    verdict = compared(square(3, 3), square(6, 7, 5))
    assert verdict.seen is not None
    assert (silhouette(verdict.seen.asked, 20) > 0).tolist() == square(3, 3).tolist()
    assert (silhouette(verdict.seen.found, 20) > 0).tolist() == square(6, 7, 5).tolist()
    assert verdict.figures.seen is None


def test_a_ledger_of_a_run_that_did_not_verify_is_read() -> None:
    assert ImageData().verdict is None
    assert Verdict(iou=0.5, shift=None, size_ratio=0.0).seen is None
