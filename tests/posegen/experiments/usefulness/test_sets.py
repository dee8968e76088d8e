"""The sets as files, and the union of two."""

from pathlib import Path

import numpy as np
import pytest

from posegen.experiments.usefulness.sets import kept, union
from posegen.judges.augment import Views
from posegen_runtime.errors import PoseGenError


def views(value: int, count: int) -> Views:
    image = np.full((count, 4, 4, 3), value, np.uint8)
    return Views(image, image[..., 0], np.full(count, float(value)))


def test_the_union_holds_all_of_both() -> None:
    whole = union(views(1, 3), views(2, 5))
    assert len(whole) == 8
    for array in (whole.image[:, 0, 0, 0], whole.mask[:, 0, 0], whole.azimuth):
        assert array.tolist() == [1, 1, 1, 2, 2, 2, 2, 2]


def test_a_set_is_made_once_and_a_damaged_one_named(tmp_path: Path) -> None:
    file = tmp_path / "sets" / "1.npz"
    kept(file, lambda: views(1, 3))
    again = kept(file, lambda: views(2, 3))
    assert again.azimuth.tolist() == [1, 1, 1]
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(PoseGenError, match=r"1\.npz: unreadable"):
        kept(file, lambda: views(2, 3))
    file.unlink()
    assert kept(file, lambda: views(2, 3)).azimuth.tolist() == [2, 2, 2]
