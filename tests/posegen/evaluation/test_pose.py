import numpy as np

from posegen.evaluation.pose import iou, resized_masks


def squares(*corners: tuple[int, int, int]) -> np.ndarray:
    """bool [N, 8, 8]; (top, left, side) each."""
    masks = np.zeros((len(corners), 8, 8), bool)
    for mask, (top, left, side) in zip(masks, corners, strict=True):
        mask[top : top + side, left : left + side] = True
    return masks


def test_iou_by_hand() -> None:
    asked = squares((0, 0, 4), (0, 0, 4), (0, 0, 4), (0, 0, 4))
    found = squares((0, 0, 4), (0, 2, 4), (4, 4, 4), (0, 0, 0))
    # Half of 16 pixels overlap in the second: 8 of 24.
    np.testing.assert_allclose(iou(found, asked), [1, 1 / 3, 0, 0])


def test_nothing_asked_is_no_value() -> None:
    assert np.isnan(iou(squares((0, 0, 4)), squares((0, 0, 0)))).all()


def test_a_pixel_counts_when_more_than_half_is_covered() -> None:
    masks = np.zeros((1, 4, 4), np.uint8)
    masks[0, :2, :2] = [[255, 255], [255, 0]]  # three of four
    masks[0, 2:, 2:] = [[255, 0], [0, 0]]  # one of four
    np.testing.assert_array_equal(resized_masks(masks, 2), [[[True, False], [False, False]]])
    np.testing.assert_array_equal(resized_masks(masks, 4), masks > 0)
    np.testing.assert_array_equal(
        resized_masks(masks, 8), (masks > 0).repeat(2, axis=1).repeat(2, axis=2)
    )
