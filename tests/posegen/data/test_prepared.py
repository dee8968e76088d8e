from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen.data.dataset import Dataset, open_dataset
from posegen.data.prepared import prepare, read_image, read_mask
from posegen_runtime.errors import PoseGenError
from synthetic_dataset import write_dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return open_dataset(write_dataset(tmp_path / "data"))


def test_arrays_hold_the_files_pixels_as_rgb(dataset: Dataset, tmp_path: Path) -> None:
    split = prepare(dataset, "train", 32, tmp_path / "cache")
    for i, sample in enumerate(dataset.samples("train")):
        for name in ("photo", "background", "appearance"):
            file = cv2.imread(str(getattr(sample, name)))[..., ::-1]
            np.testing.assert_array_equal(getattr(split, name)[i], file)
        np.testing.assert_array_equal(split.mask[i], cv2.imread(str(sample.mask), 0))
        assert split.scene[i] == sample.scene


def test_smaller_images_are_means_of_their_areas(dataset: Dataset, tmp_path: Path) -> None:
    full = prepare(dataset, "train", 32, tmp_path / "cache")
    half = prepare(dataset, "train", 16, tmp_path / "cache")
    means = full.photo.reshape(12, 16, 2, 16, 2, 3).astype(float).mean(axis=(2, 4))
    assert np.abs(half.photo - means).max() <= 0.5
    covered = (full.mask == 255).reshape(12, 16, 2, 16, 2).mean(axis=(2, 4))
    np.testing.assert_array_equal(half.mask, np.where(covered >= 0.5, 255, 0))


def test_the_cache_is_read_instead_of_the_images(dataset: Dataset, tmp_path: Path) -> None:
    first = prepare(dataset, "train", 32, tmp_path / "cache")
    for sample in dataset.samples("train"):
        sample.mask.write_bytes(b"gone")
    again = prepare(dataset, "train", 32, tmp_path / "cache")
    np.testing.assert_array_equal(first.photo, again.photo)


def test_a_limit_takes_evenly_spaced_samples(dataset: Dataset, tmp_path: Path) -> None:
    every = prepare(dataset, "train", 32, tmp_path / "cache")
    some = prepare(dataset, "train", 32, tmp_path / "cache", limit=2)
    np.testing.assert_array_equal(some.photo, every.photo[[0, 11]])


def test_progress_reaches_the_end(dataset: Dataset, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    prepare(dataset, "train", 32, tmp_path / "cache", progress=lambda *c: calls.append(c))
    assert calls == [(12, 12)]


def test_no_enlarging(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="--image-size 64 is larger than the 32 px"):
        prepare(dataset, "train", 64, tmp_path / "cache")


def test_an_unreadable_image_leaves_no_cache(dataset: Dataset, tmp_path: Path) -> None:
    file = dataset.samples("train")[5].background
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(PoseGenError, match=f"{file}: no readable image"):
        prepare(dataset, "train", 32, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_missing_image_is_named(dataset: Dataset, tmp_path: Path) -> None:
    file = dataset.samples("train")[3].appearance
    file.unlink()
    with pytest.raises(PoseGenError, match=f"{file}: missing from the data set"):
        prepare(dataset, "train", 32, tmp_path / "cache")


def test_an_image_of_another_size_is_named(dataset: Dataset) -> None:
    file = dataset.samples("train")[0].photo
    cv2.imwrite(str(file), np.zeros((32, 40, 3), np.uint8))
    with pytest.raises(PoseGenError, match="40×32 px where the data set says 32×32"):
        read_image(file, (32, 32), 16)


def test_half_covered_pixels_belong_to_the_mask(tmp_path: Path) -> None:
    mask = np.array([[255, 0, 255, 0], [255, 0, 0, 0]] * 2, np.uint8)
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png", (4, 4), 2), [[255, 0], [255, 0]])


def test_a_cache_that_cannot_be_written(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PoseGenError, match="cannot be written"):
        prepare(dataset, "train", 32, tmp_path / "file")
