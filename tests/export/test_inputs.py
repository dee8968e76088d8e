import json

import cv2
import numpy as np
import pytest

from posegen.data.dataset import open_dataset
from posegen_export.inputs import CONDITIONS, from_dataset, from_seed
from posegen_runtime.errors import PoseGenError
from synthetic_dataset import write_dataset


def test_same_seed_same_inputs():
    first, again, other = (from_seed((48, 48), 12, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.masks, again.masks)
    assert np.array_equal(first.backgrounds, again.backgrounds)
    assert not np.array_equal(first.masks, other.masks)


def test_made_up_masks_differ_and_are_neither_empty_nor_full():
    inputs = from_seed((64, 64), 24, seed=0)
    assert inputs.masks.shape == (24, 64, 64)
    assert set(np.unique(inputs.masks)) == {0, 255}
    shares = (inputs.masks[: inputs.real] > 0).mean(axis=(1, 2))
    assert shares.min() > 0.01
    assert shares.max() < 0.5
    assert len({mask.tobytes() for mask in inputs.masks}) == 24


def test_every_pair_of_appearance_and_background_occurs():
    inputs = from_seed((32, 32), 24, seed=0)
    pairs = {
        (inputs.condition_index("appearance", row), inputs.condition_index("background", row))
        for row in range(16)
    }
    assert len(pairs) == CONDITIONS**2


def test_feeds_hold_only_what_is_asked_for():
    inputs = from_seed((32, 32), 12, seed=0)
    feeds = inputs.feeds(("mask", "background"), [0, 4, 5])
    assert list(feeds) == ["mask", "background"]
    assert np.array_equal(feeds["background"][1], inputs.backgrounds[1])
    assert feeds["mask"].shape == (3, 32, 32)


def test_inputs_come_from_the_unseen_split(tmp_path):
    root = write_dataset(tmp_path / "data", train=8, val=40, size=64)
    inputs = from_dataset(root, (32, 32), 16, seed=0)
    assert inputs.real == 13
    assert inputs.masks.shape == (16, 32, 32)
    assert inputs.appearances.shape == inputs.backgrounds.shape == (4, 32, 32, 3)
    assert inputs.source == "ellipses, val split, seed 0"
    assert set(np.unique(inputs.masks)) == {0, 255}


def test_a_small_split_gives_fewer_real_masks(tmp_path):
    inputs = from_dataset(write_dataset(tmp_path / "d", val=4, size=32), (32, 32), 16, seed=0)
    assert inputs.real == 4
    assert len(inputs.masks) == 7


def test_a_small_test_split_is_filled_up_from_val(tmp_path):
    root = write_dataset(tmp_path / "d", val=6, size=32, objects=2)
    description = json.loads((root / "dataset.json").read_text())
    first = sorted((root / "val").iterdir())[0]
    (root / "test").mkdir()
    first.rename(root / "test" / first.name)
    description["splits"] |= {"val": 3, "test": 3}
    (root / "dataset.json").write_text(json.dumps(description))
    assert from_dataset(root, (32, 32), 9, seed=0).real == 6
    assert from_dataset(root, (32, 32), 9, seed=0).source == "ellipses, test and val split, seed 0"
    assert from_dataset(root, (32, 32), 6, seed=0).source == "ellipses, test split, seed 0"


def blacken(root, count):
    for file in sorted((root / "val").glob("*/mask/*.png"))[:count]:
        cv2.imwrite(str(file), np.zeros((32, 32), np.uint8))


@pytest.mark.parametrize(("val", "empty", "left"), [(0, 0, 0), (1, 0, 1), (4, 4, 0), (4, 3, 1)])
def test_fewer_than_two_silhouettes_are_named(tmp_path, val, empty, left):
    root = write_dataset(tmp_path / "d", val=val, size=32)
    blacken(root, empty)
    message = f"d: {left} of {val} samples of the test and val splits show a silhouette at 32 px, "
    message += r"2 are needed; render more or hold out more photos \(posegen data photos --val\)"
    with pytest.raises(PoseGenError, match=message):
        from_dataset(root, (32, 32), 16, seed=0)


def test_empty_silhouettes_are_left_out(tmp_path):
    root = write_dataset(tmp_path / "d", val=4, size=32)
    blacken(root, 2)
    inputs = from_dataset(root, (32, 32), 16, seed=0)
    assert inputs.real == 2
    assert inputs.masks[:2].any(axis=(1, 2)).all()


def test_bad_data_sets_are_named(tmp_path):
    small = write_dataset(tmp_path / "small", size=32)
    with pytest.raises(PoseGenError, match="32 px are smaller than the model's 64"):
        from_dataset(small, (64, 64), 16, seed=0)
    with pytest.raises(PoseGenError, match="no data set"):
        from_dataset(tmp_path, (32, 32), 16, seed=0)


def test_viewpoints_are_the_silhouettes_own_and_one_random_mask_has_none(tmp_path):
    root = write_dataset(tmp_path / "d", val=9, size=32)
    inputs = from_dataset(root, (32, 32), 12, seed=0)
    own = {np.float32(s.viewpoint).tobytes() for s in open_dataset(root).samples("val")}
    assert {v.tobytes() for v in inputs.viewpoints[: inputs.real]} == own
    lengths = np.linalg.norm(inputs.viewpoints, axis=1)
    assert lengths == pytest.approx([1.0] * 10 + [0.0, 1.0])


def test_made_up_viewpoints_are_unit_vectors_all_round():
    viewpoints = from_seed((32, 32), 24, seed=0).viewpoints
    assert viewpoints.dtype == np.float32
    assert np.linalg.norm(viewpoints, axis=1) == pytest.approx([1.0] * 22 + [0.0, 1.0])
    assert np.abs(viewpoints.mean(axis=0)).max() < 0.5
