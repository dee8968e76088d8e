import numpy as np

from posegen.data.mask_range import mask_range


def test_values_worked_out_by_hand() -> None:
    masks = np.zeros((3, 10, 20), np.uint8)
    masks[0, 2:4, 4:12] = 255  # 16 of 200 pixels, centre (8, 3), aspect 8 / 2
    masks[1, 5:10, 15:20] = 255  # 25 of 200, centre (17.5, 7.5), aspect 1
    assert mask_range(masks) == {
        "area": (16 / 200, 25 / 200),
        "center_x": (8 / 20, 17.5 / 20),
        "center_y": (3 / 10, 7.5 / 10),
        "aspect": (1.0, 4.0),
    }


def test_empty_masks_do_not_count() -> None:
    assert mask_range(np.zeros((2, 4, 4), np.uint8)) == {}
