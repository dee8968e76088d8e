"""A small segmenter, trained on a data set's own photos."""

import os
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from marked_cars import SIZE, RedSegmenter, write_marked_cars
from posegen.config import TrainPrecision
from posegen.data.dataset import Dataset, open_dataset
from posegen.evaluation import own_segmenter as module
from posegen.evaluation.own_segmenter import CONFIG, knows, own_segmenter
from posegen.evaluation.pose import iou
from posegen.evaluation.samples import Samples
from posegen_runtime.errors import PoseGenError

QUICK = msgspec.structs.replace(
    CONFIG, image_size=32, steps=40, batch_size=8, precision=TrainPrecision.FULL
)


class Blind:
    """Finds nothing."""

    def masks(self, images: np.ndarray) -> np.ndarray:
        return np.zeros(images.shape[:3], np.uint8)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("all")
    return open_dataset(write_marked_cars(root, splits=("test", "train", "val")))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "posegen" / "segmenters"


def test_which_segmenter_knows_the_objects(dataset: Dataset) -> None:
    samples = Samples(dataset, "test", SIZE)
    assert knows(RedSegmenter(), samples)
    assert not knows(Blind(), samples)


def test_photos_smaller_than_the_segmenter_train_none(dataset: Dataset, cache: Path) -> None:
    larger = msgspec.structs.replace(QUICK, image_size=2 * SIZE)
    assert own_segmenter(dataset, larger) is None
    assert not cache.exists()


def test_it_is_trained_once_and_finds_held_out_objects(
    dataset: Dataset,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = own_segmenter(dataset, QUICK)
    assert found is not None
    (kept,) = cache.iterdir()
    assert str(kept) in capsys.readouterr().err
    samples = Samples(dataset, "test", QUICK.image_size)
    rows = np.arange(len(samples))
    photos, masks = samples.photo(rows), samples.mask(rows) > 127
    again = found.masks(photos)
    assert np.nanmean(iou(again > 127, masks)) > 0.7
    monkeypatch.setattr(module, "_train", lambda *_: pytest.fail("trained twice"))
    second = own_segmenter(dataset, QUICK)
    assert second is not None
    assert (second.masks(photos) == again).all()


def test_another_data_set_or_training_has_a_segmenter_of_its_own(
    dataset: Dataset, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[Path] = []
    monkeypatch.setattr(module, "_train", lambda _, __, path: paths.append(path))
    monkeypatch.setattr(module, "TrainedSegmenter", lambda path: path)
    own_segmenter(dataset, QUICK)
    own_segmenter(dataset, msgspec.structs.replace(QUICK, steps=41))
    changed = msgspec.structs.replace(dataset.description, sha256="1" * 64)
    own_segmenter(replace(dataset, description=changed), QUICK)
    assert len(set(paths)) == 3


def test_without_photos_to_learn_from_there_is_none(tmp_path: Path, cache: Path) -> None:
    data = open_dataset(write_marked_cars(tmp_path / "data"))
    assert own_segmenter(data, QUICK) is None
    assert not cache.exists()


def test_a_cache_that_cannot_be_made(dataset: Dataset, cache: Path) -> None:
    cache.parent.parent.write_text("")
    with pytest.raises(PoseGenError, match="set XDG_CACHE_HOME"):
        own_segmenter(dataset, QUICK)
    assert os.listdir(cache.parent.parent.parent) == ["cache"]
