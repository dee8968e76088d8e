import json
from pathlib import Path

import pytest

from posegen.data.dataset import open_dataset
from posegen_runtime.errors import PoseGenError
from synthetic_dataset import write_dataset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_dataset(tmp_path)


def change(root: Path, **fields: object) -> None:
    file = root / "dataset.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def test_samples_are_in_order_and_complete(root: Path) -> None:
    samples = open_dataset(root).samples("train")
    assert len(samples) == 12
    assert [s.photo for s in samples] == sorted(s.photo for s in samples)
    assert {s.object_id for s in samples} == {0, 1}
    for sample in samples:
        assert sample.photo.parent.parent == sample.mask.parent.parent
        for path in (sample.photo, sample.mask, sample.background, sample.appearance):
            assert path.is_file()


def test_objects_are_scene_folders(root: Path) -> None:
    for sample in open_dataset(root).samples("train"):
        assert sample.photo.parts[-3] == f"{sample.object_id:06d}"


def test_scenes_of_one_object(root: Path) -> None:
    change(root, scene_objects={"train/000000": "van", "train/000001": "van"})
    samples = open_dataset(root).samples("train")
    assert {s.object_id for s in samples} == {0}
    assert {s.scene for s in samples} == {0, 1}


def test_viewpoints_come_from_the_poses(root: Path) -> None:
    scene = root / "train" / "000000"
    half_turn = [-1, 0, 0, 0, -1, 0, 0, 0, 1]
    poses = {"0": [{"cam_R_m2c": half_turn, "cam_t_m2c": [3, 0, 4], "obj_id": 1}]}
    (scene / "scene_gt.json").write_text(json.dumps(poses))
    first, second, *_ = open_dataset(root).samples("train")
    # The camera is at -Rᵀt = (3, 0, -4).
    assert first.viewpoint == pytest.approx((0.6, 0, -0.8))
    assert second.viewpoint == (0, 0, 0)
    (scene / "scene_gt.json").unlink()
    assert open_dataset(root).samples("train")[0].viewpoint == (0, 0, 0)


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"0": [{"obj_id": 1}]}'])
def test_unreadable_poses(content: bytes, root: Path) -> None:
    file = root / "train" / "000000" / "scene_gt.json"
    file.write_bytes(content)
    with pytest.raises(PoseGenError, match="render the data set again") as error:
        open_dataset(root).samples("train")
    assert str(file) in str(error.value)


def test_a_split_that_is_not_there_is_empty(root: Path) -> None:
    assert open_dataset(root).samples("test") == []


def test_missing_photos_are_counted(root: Path) -> None:
    next((root / "train").rglob("rgb/*.png")).unlink()
    with pytest.raises(PoseGenError, match=r"11 photos found where dataset\.json says 12"):
        open_dataset(root).samples("train")


def test_a_folder_without_description(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match=r"no data set, dataset\.json is missing"):
        open_dataset(tmp_path / "nowhere")


def test_a_newer_schema(root: Path) -> None:
    change(root, schema=2, splits="another shape")
    with pytest.raises(PoseGenError, match="schema 2 is newer than 1"):
        open_dataset(root)


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff\xfe", b'{"schema": 1}'])
def test_an_unreadable_description(root: Path, content: bytes) -> None:
    (root / "dataset.json").write_bytes(content)
    with pytest.raises(PoseGenError, match=r"dataset\.json: unreadable"):
        open_dataset(root)


def test_lineage_names_the_data_and_what_was_seen_of_it(root: Path) -> None:
    change(root, sha256="abc", licence="CC0-1.0")
    expected = {"name": "ellipses", "sha256": "abc", "licence": "CC0-1.0", "images": 7}
    assert open_dataset(root).description.lineage(7) == expected
