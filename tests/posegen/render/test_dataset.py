"""A small rendered data set: its layout, its truth, and that it can be made again."""

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh

from mesh_projection import EXACT, mismatch, rasterise
from posegen.data.dataset import open_dataset
from posegen.render.dataset import SPLITS, render_dataset, split_objects, tasks
from posegen.render.poses import PoseRange
from posegen.render.sensor import Sensor
from posegen.render.worker import RenderPlan
from posegen_runtime.errors import PoseGenError

SIZE, CARS, SAMPLES = 96, 4, 14


def make(
    out: Path, workers: int, seed: int = 5, sensor: Sensor | None = None, samples: int = SAMPLES
) -> dict[str, Any]:
    ranges = PoseRange(truncated=0.3)
    plan = RenderPlan(out, "cars", seed, SIZE, SIZE, ranges, sensor=sensor or Sensor())
    return render_dataset(plan, CARS, samples, workers)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rendered") / "cars"
    make(out, workers=2)
    return out


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def image(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None, path
    return pixels


def frames(dataset: Path) -> list[tuple[Path, str]]:
    found = [
        (scene.parent, frame)
        for scene in sorted(dataset.glob("*/*/scene_gt.json"))
        for frame in load(scene)
    ]
    assert len(found) == SAMPLES
    return found


def test_trainer_reads_it(dataset: Path) -> None:
    opened = open_dataset(dataset)
    assert opened.description.splits == {"train": 7, "val": 3, "test": 4}
    samples = [sample for split in SPLITS for sample in opened.samples(split)]
    assert len(samples) == SAMPLES
    for sample in samples:
        for path in (sample.photo, sample.background, sample.appearance):
            assert image(path).shape == (SIZE, SIZE, 3)
        assert set(np.unique(image(sample.mask))) == {0, 255}


def test_no_car_is_in_two_splits(dataset: Path) -> None:
    objects: dict[str, set[int]] = {split: set() for split in SPLITS}
    for scene, frame in frames(dataset):
        (entry,) = load(scene / "scene_gt.json")[frame]
        objects[scene.parent.name].add(entry["obj_id"])
        assert entry["obj_id"] == int(scene.name) + 1
    assert all(objects.values())
    assert sum(map(len, objects.values())) == len(set.union(*objects.values())) == CARS


@pytest.mark.parametrize("count", [1, 2, 3, 10, 37])
def test_splits_by_share(count: int) -> None:
    splits = split_objects(count, seed=1)
    held_out = max(1, round(count / 10))
    assert splits.count("val") == (held_out if count > 1 else 0)
    assert splits.count("test") == (held_out if count > 2 else 0)
    assert splits.count("train") == count - splits.count("val") - splits.count("test")
    assert splits == split_objects(count, seed=1)


def test_frames_are_shared_out_once() -> None:
    spread = [(t.number, f) for t in tasks(3, 20, seed=0) for f in range(t.start, t.stop)]
    assert len(spread) == len(set(spread)) == 20


def test_paints_of_one_mesh_share_a_split() -> None:
    splits: dict[int, set[str]] = {}
    for task in tasks(12, 24, seed=3, meshes=5):
        splits.setdefault(task.number % 5, set()).add(task.split)
    assert len(splits) == 5
    assert all(len(found) == 1 for found in splits.values())
    assert set.union(*splits.values()) == set(SPLITS)
    # One mesh alone still gives all three splits.
    assert {task.split for task in tasks(10, 10, seed=3, meshes=1)} == set(SPLITS)


def test_models_projected_with_the_written_pose_are_the_masks(dataset: Path) -> None:
    info = load(dataset / "models" / "models_info.json")
    for scene, frame in frames(dataset):
        (gt,) = load(scene / "scene_gt.json")[frame]
        K = np.reshape(load(scene / "scene_camera.json")[frame]["cam_K"], (3, 3))
        path = dataset / "models" / f"obj_{gt['obj_id']:06d}.ply"
        model = trimesh.load(path, process=False)
        mask = image(scene / "mask" / f"{int(frame):06d}_000000.png")
        pose = gt["cam_R_m2c"], gt["cam_t_m2c"]
        expected = rasterise(model.vertices, model.faces, *pose, K, (SIZE, SIZE))
        assert mismatch(mask, expected) < EXACT, (scene, frame)
        K[0, 2] += 0.25
        shifted = rasterise(model.vertices, model.faces, *pose, K, (SIZE, SIZE))
        assert mismatch(mask, shifted) > 2 * EXACT, (scene, frame)
        entry = info[str(gt["obj_id"])]
        assert entry["size_x"] == pytest.approx(np.ptp(model.vertices[:, 0]), abs=0.01)
        assert entry["size_x"] < entry["diameter"] < 7000


def test_gt_info_follows_the_projected_outline(dataset: Path) -> None:
    cut = 0
    for number, (scene, frame) in enumerate(frames(dataset)):
        (gt,) = load(scene / "scene_gt.json")[frame]
        (info,) = load(scene / "scene_gt_info.json")[frame]
        if info["visib_fract"] == 1 and number > 2:  # the wide canvas takes its time
            continue
        K = np.reshape(load(scene / "scene_camera.json")[frame]["cam_K"], (3, 3))
        model = trimesh.load(dataset / "models" / f"obj_{gt['obj_id']:06d}.ply", process=False)
        K[:2, 2] += SIZE  # BOP's canvas of three times the size
        whole = rasterise(model.vertices, model.faces, gt["cam_R_m2c"], gt["cam_t_m2c"], K,
                          (3 * SIZE, 3 * SIZE))  # fmt: skip
        rows, columns = np.nonzero(whole)
        box = [columns.min() - SIZE, rows.min() - SIZE, np.ptp(columns), np.ptp(rows)]
        assert np.abs(np.subtract(info["bbox_obj"], box)).max() <= 1
        assert info["px_count_all"] == pytest.approx(np.count_nonzero(whole), rel=0.01)
        mask = image(scene / "mask" / f"{int(frame):06d}_000000.png")
        assert info["px_count_visib"] == np.count_nonzero(mask)
        assert info["visib_fract"] == info["px_count_visib"] / info["px_count_all"]
        cut += info["visib_fract"] < 1
    assert cut > 0


def test_background_is_the_scene_without_the_car(dataset: Path) -> None:
    for scene, frame in frames(dataset):
        name = f"{int(frame):06d}"
        photo = image(scene / "rgb" / f"{name}.png").astype(int)
        background = image(scene / "background" / f"{name}.png").astype(int)
        appearance = image(scene / "appearance" / f"{name}.png").astype(int)
        mask = image(scene / "mask" / f"{name}_000000.png")
        grown = cv2.dilate(mask, np.ones((5, 5), np.uint8)) > 0
        # Outside the car only its shadow differs, and a shadow brightens nothing.
        assert (photo - background)[~grown].max() <= 1
        assert np.abs(photo - background)[mask > 0].mean() > 15
        assert np.abs(photo - appearance).mean() > 5
        assert photo.std() > 10


def test_a_photo_and_its_background_are_of_one_exposure(dataset: Path, tmp_path: Path) -> None:
    """As noisy as each other, frame by frame, though no two frames are."""
    make(tmp_path / "noisy", workers=1, sensor=Sensor(noise=(1, 20)), samples=2 * CARS)
    levels = []
    for noisy in sorted((tmp_path / "noisy").glob("*/*/rgb/*.png")):
        plain = dataset / noisy.relative_to(tmp_path / "noisy")
        photo, scene = (image(plain.parents[1] / n / plain.name) for n in ("rgb", "background"))
        same = (photo == scene) & (photo > 60) & (photo < 195)  # the same light, nothing clipped
        assert same.sum() > 1000
        seen = [image(noisy.parents[1] / n / noisy.name) for n in ("rgb", "background")]
        levels.append([(each.astype(float) - photo)[same].std() for each in seen])
    photos, backgrounds = np.transpose(levels)
    assert photos == pytest.approx(backgrounds, rel=0.1)
    assert photos.max() > 2 * photos.min()


def test_the_same_seed_gives_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "again", workers=1)
    for path in sorted(dataset.rglob("*")):
        if path.is_file():
            copy = tmp_path / "again" / path.relative_to(dataset)
            assert path.read_bytes() == copy.read_bytes(), path
    assert again["sha256"] == load(dataset / "dataset.json")["sha256"]


def test_hash_covers_every_file(dataset: Path) -> None:
    listing = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(dataset).as_posix()}\n"
        for path in sorted(
            dataset.rglob("*"), key=lambda path: path.relative_to(dataset).as_posix()
        )
        if path.is_file() and path.name != "dataset.json"
    )
    assert load(dataset / "dataset.json")["sha256"] == hashlib.sha256(listing.encode()).hexdigest()


def test_the_description_says_what_was_asked_for(dataset: Path) -> None:
    asked = load(dataset / "dataset.json")["rendering"]
    assert asked["truncated"] == 0.3
    assert (asked["elevation"], asked["fill"]) == ([0, 35], [0.4, 0.92])
    assert asked["noise"] == asked["blur"] == [0, 0]


def test_an_occupied_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(PoseGenError, match="not empty"):
        make(tmp_path, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_fewer_samples_than_objects_is_refused(tmp_path: Path) -> None:
    plan = RenderPlan(tmp_path / "new", "cars", 0, SIZE, SIZE, PoseRange())
    with pytest.raises(PoseGenError, match="--samples 3"):
        render_dataset(plan, objects=4, samples=3, workers=1)
