import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from marked_cars import FRAMES, OBJECTS, SIZE, write_marked_cars
from posegen.data.dataset import open_dataset
from posegen.evaluation.heading import elevation
from posegen.evaluation.samples import Samples
from posegen_runtime.errors import PoseGenError


def test_batches_hold_every_sample_once(samples: Samples) -> None:
    batches = list(samples.batches(7))
    rows = np.concatenate([batch.rows for batch in batches])
    np.testing.assert_array_equal(rows, np.arange(OBJECTS * FRAMES))
    assert samples.objects == OBJECTS
    assert batches[0].photo.shape == (7, SIZE, SIZE, 3)


def test_a_sample_is_what_lies_on_disk(samples: Samples, marked: Path) -> None:
    batch = samples.read(np.array([FRAMES + 1]))
    scene = marked / "test" / "000001"
    for name, array in (("rgb", batch.photo), ("background", batch.background)):
        stored = cv2.imread(str(scene / name / "000001.png"))[..., ::-1]
        np.testing.assert_array_equal(array[0], stored)
    stored = cv2.imread(str(scene / "appearance" / "000001.png"))[..., ::-1]
    np.testing.assert_array_equal(samples.appearance(np.array([FRAMES + 1]))[0], stored)
    np.testing.assert_allclose(elevation(batch.viewpoint), np.degrees(0.2), atol=1e-3)


def test_fewer_samples_are_spread_evenly(marked: Path) -> None:
    few = Samples(open_dataset(marked), "test", SIZE, limit=3)
    assert few.object_id.tolist() == [0, 6, 11]


def test_scenes_of_one_object_count_once(tmp_path: Path) -> None:
    """Controls and intervals must not take an object for two."""
    root = write_marked_cars(tmp_path / "data")
    file = root / "dataset.json"
    same = {"scene_objects": {"test/000000": "van", "test/000002": "van"}}
    file.write_text(json.dumps(json.loads(file.read_text()) | same))
    found = Samples(open_dataset(root), "test", SIZE)
    assert found.objects == OBJECTS - 1
    assert found.object_id[0] == found.object_id[2 * FRAMES] != found.object_id[FRAMES]


def test_images_are_shrunk_to_the_model(marked: Path) -> None:
    batch = Samples(open_dataset(marked), "test", 32).read(np.arange(2))
    assert batch.photo.shape == (2, 32, 32, 3)
    assert set(np.unique(batch.mask)) == {0, 255}


@pytest.mark.parametrize(
    ("split", "size", "message"),
    [
        ("val", SIZE, r"no samples in the split val; name one of test \(36\)"),
        ("test", 128, "images of 64 px are smaller than the model's 128"),
    ],
)
def test_unusable_requests(marked: Path, split: str, size: int, message: str) -> None:
    with pytest.raises(PoseGenError, match=message):
        Samples(open_dataset(marked), split, size)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    root = write_marked_cars(tmp_path / "data")
    (root / "test" / "000000" / "background" / "000000.png").unlink()
    with pytest.raises(PoseGenError, match=r"background/000000\.png: missing"):
        Samples(open_dataset(root), "test", SIZE).read(np.arange(1))
