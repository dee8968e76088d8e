import numpy as np
import pytest

from posegen.data.dataset import open_dataset
from posegen.evaluation.model import Conditions
from posegen.evaluation.pose import iou
from posegen.evaluation.samples import Samples
from posegen.metrics.baselines import (
    Autoencoder,
    ClosestTraining,
    RandomRGB,
    RandomTraining,
    random_rows,
)
from posegen_runtime.errors import PoseGenError
from synthetic_dataset import write_dataset

SIZE = 32


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Samples, Samples]:
    root = write_dataset(tmp_path_factory.mktemp("data") / "d", train=30, test=8, size=SIZE)
    dataset = open_dataset(root)
    return Samples(dataset, "train", SIZE), Samples(dataset, "test", SIZE)


class Echo:
    """A model that gives back the appearance."""

    label, sha256, image_size = "echo", "", SIZE

    def __init__(self, *inputs: str) -> None:
        self.inputs = inputs

    def images(self, conditions: Conditions) -> np.ndarray:
        return 255 - np.asarray(conditions["appearance"], np.uint8)


def test_random_rgb(splits: tuple[Samples, Samples]) -> None:
    batch = splits[1].read(np.arange(8))
    images = RandomRGB(SIZE).images(batch)
    assert images.shape == batch.photo.shape
    assert images.min() == 0
    assert images.max() == 255
    assert abs(images.mean() - 127.5) < 2
    later = RandomRGB(SIZE).images(splits[1].read(np.array([3])))
    np.testing.assert_array_equal(images[3], later[0])
    assert (images[3] != images[4]).any()
    assert (images != RandomRGB(SIZE, seed=1).images(batch)).any()


def test_random_training_images_are_training_images(splits: tuple[Samples, Samples]) -> None:
    train, test = splits
    oracle = RandomTraining(train, len(test))
    images = oracle.images(test.read(np.arange(8)))
    photos = train.photo(np.arange(30))
    found = [np.flatnonzero((photos == image).all(axis=(1, 2, 3)))[0] for image in images]
    assert len(set(found)) == 8, "none twice where there are enough"
    np.testing.assert_array_equal(oracle.images(test.read(np.array([5])))[0], images[5])


def test_rows_are_drawn_evenly() -> None:
    rows = random_rows(5, 23, 0)
    assert sorted(np.bincount(rows).tolist()) == [4, 4, 5, 5, 5]
    assert random_rows(5, 23, 1).tolist() != rows.tolist()


def test_the_closest_training_image(splits: tuple[Samples, Samples]) -> None:
    train, test = splits
    oracle = ClosestTraining(train, test)
    masks = train.mask(np.arange(30)) > 0
    images = oracle.images(test.read(np.arange(8)))
    for row, wanted in enumerate(test.mask(np.arange(8)) > 0):
        overlap = iou(masks, np.repeat(wanted[None], 30, 0))
        assert oracle.iou[row] == pytest.approx(overlap.max())
        np.testing.assert_array_equal(images[row], train.photo(overlap.argmax()[None])[0])


def test_the_autoencoder_is_shown_the_photo(splits: tuple[Samples, Samples]) -> None:
    batch = splits[1].read(np.arange(8))
    np.testing.assert_array_equal(Autoencoder(Echo("appearance")).images(batch), 255 - batch.photo)
    with pytest.raises(PoseGenError, match="takes mask, appearance, an autoencoder the photo"):
        Autoencoder(Echo("mask", "appearance"))
