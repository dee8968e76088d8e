"""The BOP data set, read by the format's definition: wedges projected back fall on the masks."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bop_reader import BopObject, read_bop
from label_rows import CORNERS, plan_of, pose_of, silhouette, turned, write_frames
from posegen_runtime.labels import bop
from posegen_runtime.labels.splits import Split
from posegen_runtime.ledger import Ledger, State
from posegen_runtime.outputs import write_outputs
from posegen_runtime.poses import Pose, read_poses
from projection import offset, overlap

NEAR, FAR = (0.4, 0.2, 9.0), (-2.6, 0.3, 14.0)
CONVENTIONS = [("mm", "opencv", "half"), ("m", "opengl", "integer"), ("m", "opencv", "half")]


def frames() -> list[list[Pose | None]]:
    """Two objects in each, the nearer one first; every pose in another convention."""
    made: list[list[Pose | None]] = []
    for number, convention in enumerate(CONVENTIONS):
        poses = [
            pose_of(f"{number}_{i}.png", turned(35 + 50 * number + 20 * i, 8), t, *convention)
            for i, t in enumerate((NEAR, FAR))
        ]
        made.append([*poses])
    return made


def write(out: Path, **changes: Any) -> list[str]:
    with Ledger.open(out, write=False) as ledger:
        return write_outputs(out, ledger, plan_of("bop", **changes))


def manifest(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").open()]


def corners_in(found: BopObject, K: np.ndarray) -> np.ndarray:
    """The wedge projected by BOP's definition, in the half convention."""
    image = (1000 * CORNERS @ found.R.T + found.t) @ K.T
    return np.asarray(image[:, :2] / image[:, 2:] + 0.5)


@pytest.mark.parametrize("plant", ["", "unit", "axis", "frame", "quarter pixel"])
def test_the_mesh_falls_on_the_masks_and_each_planted_slip_shows(
    tmp_path: Path, plant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = bop.opencv_view

    def slipped(pose: Pose) -> Any:
        R, t, K = right(pose)
        if plant == "unit":
            t = t / 1000
        elif plant == "axis":
            R = R @ np.diag([1.0, -1.0, -1.0])
        elif plant == "frame":
            R, t = np.diag([1.0, -1.0, -1.0]) @ R, t * (1, -1, 1)
        elif plant == "quarter pixel":
            K = K + np.array([[0, 0, 0.25], [0, 0, 0], [0, 0, 0]])
        return type(right(pose))(R, t, K)

    monkeypatch.setattr(bop, "opencv_view", slipped)
    out = tmp_path / "out"
    write_frames(out, frames())
    write(out)
    worst_overlap, worst_offset, count = 1.0, 0.0, 0
    for image in read_bop(out / "labels/bop", "train"):
        for found in image.objects:
            points = corners_in(found, image.K)
            if not np.isfinite(points).all() or np.abs(points).max() > 1e4:
                worst_overlap = 0.0
                continue
            worst_overlap = min(worst_overlap, overlap(found.mask, points))
            worst_offset = max(worst_offset, float(np.abs(offset(found.mask, points)).max()))
            count += 1
    caught = worst_overlap < 0.95 or worst_offset > 0.15
    assert caught == bool(plant)
    assert plant or count == 6


def test_masks_boxes_and_counts_are_bops(tmp_path: Path) -> None:
    out = tmp_path / "out"
    visible = write_frames(out, frames())
    write(out)
    images = list(read_bop(out / "labels/bop", "train"))
    assert [int(image.rgb[0, 0, 0]) for image in images] == [0, 1, 2]
    hidden = 0
    for image, poses, seen in zip(images, frames(), visible, strict=True):
        for found, pose, left in zip(image.objects, poses, seen, strict=True):
            assert pose is not None
            whole = silhouette(pose)
            np.testing.assert_array_equal(found.mask, whole)
            np.testing.assert_array_equal(found.mask_visib, left)
            assert found.obj_id == 3
            info = found.info
            for key, mask in (("bbox_obj", whole), ("bbox_visib", left)):
                y, x = np.nonzero(mask)
                assert info[key] == [x.min(), y.min(), np.ptp(x), np.ptp(y)]
            assert info["px_count_all"] == info["px_count_valid"] == np.count_nonzero(whole)
            assert info["px_count_visib"] == np.count_nonzero(left)
            assert info["visib_fract"] == pytest.approx(
                np.count_nonzero(left) / np.count_nonzero(whole)
            )
            hidden += info["visib_fract"] < 1
    assert 1 <= hidden <= 3
    camera = json.loads((out / "labels/bop/camera.json").read_text())
    assert (camera["width"], camera["height"], camera["fx"]) == (400, 240, 300)


def test_images_and_masks_take_no_room(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_frames(out, frames())
    write(out)
    scene = out / "labels/bop/train/000000"
    assert os.path.samefile(scene / "rgb/000001.png", out / "images/1.png")
    assert os.path.samefile(scene / "mask/000001_000001.png", out / "masks/1_1.png")


def test_our_own_reader_takes_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_frames(out, frames())
    write(out)
    poses = read_poses(out / "labels/bop/train/000000")
    assert len(poses) == 6
    for pose in poses.values():
        assert pose.category == "obj_000003"
        number, place = (int(word) for word in pose.mask.removesuffix(".png").split("_"))
        given = frames()[number][place]
        assert given is not None
        np.testing.assert_array_equal(silhouette(pose), silhouette(given))


def test_only_what_is_done_stands_there(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def state(frame: int, place: int) -> State:
        return State.REJECTED if (frame, place) in ((0, 0), (1, 0), (1, 1)) else State.DONE

    write_frames(out, frames(), state)
    write(out)
    images = list(read_bop(out / "labels/bop", "train"))
    assert [(int(image.rgb[0, 0, 0]), len(image.objects)) for image in images] == [(0, 1), (2, 2)]
    assert [row.get("labels") for row in manifest(out)] == [
        None,
        {"bop": "train/000000/000000_000000"},
        None,
        None,
        {"bop": "train/000000/000001_000000"},
        {"bop": "train/000000/000001_000001"},
    ]


def test_a_rejected_object_between_two_of_one_frame(tmp_path: Path) -> None:
    out = tmp_path / "out"
    pair = frames()[0]
    third = pose_of("0_2.png", turned(10), (3.0, 0.0, 20.0))
    write_frames(
        out, [[*pair, third]], lambda _, place: State.REJECTED if place == 1 else State.DONE
    )
    with Ledger.open(out, write=False) as ledger:
        write_outputs(out, ledger, plan_of("bop", "coco"))
    (image,) = read_bop(out / "labels/bop", "train")
    assert len(image.objects) == 2
    coco = json.loads((out / "labels/coco/instances.json").read_text())
    assert [len(coco["images"]), len(coco["annotations"])] == [1, 2]


@pytest.mark.parametrize(
    ("keep", "told", "left"), [(False, False, 1), (True, False, 2), (False, True, 2)]
)
def test_ambiguous_poses_are_left_out_unless_something_settles_them(
    tmp_path: Path, keep: bool, told: bool, left: int
) -> None:
    out = tmp_path / "out"
    poses: list[Pose | None] = [
        pose_of("0_0.png", turned(80), NEAR, ambiguity=0.98),
        pose_of("0_1.png", turned(40), FAR, ambiguity=0.5),
        None,
    ]
    write_frames(out, [poses], told=told)
    lines = write(out, keep_ambiguous=keep)
    (image,) = read_bop(out / "labels/bop", "train")
    assert len(image.objects) == left
    assert "labels/bop: 1 of 3 objects are left out: its mask has no pose" in lines
    assert any("leaves the heading open" in line for line in lines) == (left == 1)
    reasons = [row.get("left_out", {}).get("bop", "") for row in manifest(out)]
    assert ["heading open" in reason for reason in reasons] == [left == 1, False, False]


def test_parts_and_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bop, "IMAGES", 2)
    out = tmp_path / "out"
    poses = [[pose_of(f"{n}.png", turned(20 * n), NEAR)] for n in range(12)]
    write_frames(out, poses)
    split = Split(shares=(0.6, 0.4), seed=1)
    write(out, split=split)
    parts = {row["mask"]: row["split"] for row in manifest(out)}
    for part in ("train", "val"):
        images = list(read_bop(out / "labels/bop", part))
        shown = [f"{image.rgb[0, 0, 0]}.png" for image in images]
        assert sorted(shown) == sorted(name for name in parts if parts[name] == part)
        assert len(shown) > 2
        assert images[2].name == f"{part}/000001/000000"


def test_written_again_it_is_the_new_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_frames(out, frames())
    write(out, split=Split(shares=(0.5, 0.5), seed=0))
    (out / "labels/.bop.part").mkdir()
    (out / "labels/.bop.part/left").touch()
    write(out)
    assert sorted(path.name for path in (out / "labels").iterdir()) == ["bop", "poses.jsonl"]
    assert sorted(path.name for path in (out / "labels/bop").iterdir()) == ["camera.json", "train"]
