"""What a model copied is found again, wherever the object stands."""

from pathlib import Path

import numpy as np
import pytest

from marked_cars import FRAMES, OBJECTS, SIZE, write_marked_cars
from posegen.data.dataset import open_dataset
from posegen.evaluation.copying import TrainingPhotos, training_photos
from posegen.evaluation.samples import Samples


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_marked_cars(tmp_path_factory.mktemp("both"), splits=("test", "train"))


@pytest.fixture(scope="module")
def training(data: Path) -> TrainingPhotos:
    return training_photos(Samples(open_dataset(data), "train", SIZE))


def test_a_training_photo_is_found_at_no_distance(training: TrainingPhotos) -> None:
    rows = np.array([30, 0, 7])
    samples = training.samples
    distance, found = training.nearest(samples.photo(rows), samples.mask(rows))
    assert found.tolist() == rows.tolist()
    assert distance.tolist() == [0, 0, 0]


def test_what_lies_outside_the_silhouette_and_where_it_stands_does_not_count(
    training: TrainingPhotos,
) -> None:
    rows = np.array([5])
    photo, mask = training.samples.photo(rows), training.samples.mask(rows)
    photo[mask == 0] = 255
    padding = [(0, 0), (40, 0), (0, 25)]
    moved = np.pad(photo, [*padding, (0, 0)]), np.pad(mask, padding)
    distance, found = training.nearest(*moved)
    assert (found.tolist(), distance.tolist()) == ([5], [0])


def test_the_distance_is_in_levels(training: TrainingPhotos) -> None:
    rows = np.array([5])
    photo, mask = training.samples.photo(rows), training.samples.mask(rows)
    mask[:] = 0
    mask[:, 8:40, 8:40] = 255
    one = TrainingPhotos(training.samples, np.full((1, 32 * 32 * 3), 100, np.uint8))
    photo[:] = 110
    assert one.nearest(photo, mask)[0] == pytest.approx([10])


def test_held_out_photos_are_further_away_than_copies(data: Path, training: TrainingPhotos) -> None:
    held_out = Samples(open_dataset(data), "test", SIZE)
    rows = np.arange(OBJECTS * FRAMES)
    distance, _ = training.nearest(held_out.photo(rows), held_out.mask(rows))
    assert distance.min() > 0


def test_an_empty_mask_has_no_distance(training: TrainingPhotos) -> None:
    photo = training.samples.photo(np.array([0]))
    distance, _ = training.nearest(photo, np.zeros((1, SIZE, SIZE), np.uint8))
    assert np.isnan(distance).all()
