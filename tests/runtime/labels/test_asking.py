"""Asking for formats that the inputs cannot fill, and outputs that hold them, by the command."""

import json
from pathlib import Path
from typing import Any

import cv2
import msgspec
import pytest

from bop_reader import read_bop
from label_rows import DIMS, SIZE, pose_of, silhouette, turned
from posegen_runtime.poses import Pose, write_poses
from whole_runs import outputs, posegen_run

Capture = pytest.CaptureFixture[str]
Run = Any


def car(name: str, yaw: float = 30, **changes: Any) -> Pose:
    return pose_of(name, turned(yaw), (0.5, 0.2, 9.0), **changes)


@pytest.fixture
def run(tmp_path: Path, tiny_bundle: Path) -> Run:
    """Runs on `poses`, and on masks of those and of `others`; gives the exit code."""

    def go(
        poses: list[Pose], *extra: object, others: tuple[str, ...] = (), out: str = "out"
    ) -> int:
        folder = tmp_path / "masks"
        folder.mkdir(exist_ok=True)
        for pose in poses:
            cv2.imwrite(str(folder / pose.mask), silhouette(pose))
        for name in others:
            cv2.imwrite(str(folder / name), silhouette(car(name)))
        options: list[object] = ["--masks", folder, "--bundle", tiny_bundle]
        options += ["--out", tmp_path / out]
        if poses:
            write_poses(tmp_path / "poses.jsonl", poses)
            options += ["--poses", tmp_path / "poses.jsonl"]
        return posegen_run(*options, *extra)

    return go


@pytest.mark.parametrize("labels", ["bop", "coco,kitti"])
def test_without_poses(run: Run, tmp_path: Path, capsys: Capture, labels: str) -> None:
    assert run([], "--labels", labels, others=("a.png",)) == 2
    error = capsys.readouterr().err
    assert f"--labels {labels[-5:].strip(',')}: needs the pose of each mask" in error
    assert not (tmp_path / "out").exists()


def test_a_mask_without_a_pose_is_left_out_and_counted(
    run: Run, tmp_path: Path, capsys: Capture
) -> None:
    assert run([car("a.png"), car("b.png", 70)], "--labels", "bop", others=("c.png",)) == 0
    said = capsys.readouterr().err
    assert "labels/bop: 1 of 3 objects are left out: its mask has no pose" in said
    assert len(list(read_bop(tmp_path / "out/labels/bop", "train"))) == 2


def test_all_ambiguous(run: Run, capsys: Capture) -> None:
    poses = [car("a.png", ambiguity=0.97), car("b.png", ambiguity=0.99)]
    assert run(poses, "--labels", "bop") == 2
    error = capsys.readouterr().err
    assert "no object could stand there; of 2: its silhouette leaves the heading open" in error
    assert run(poses, "--labels", "bop", "--keep-ambiguous") == 0


def test_a_viewpoint_that_the_model_is_told_settles_it(
    run: Run, tmp_path: Path, viewpoint_bundle: Path
) -> None:
    poses = [car("a.png", ambiguity=0.97)]
    assert run(poses, "--labels", "bop", "--bundle", viewpoint_bundle) == 0
    assert len(list(read_bop(tmp_path / "out/labels/bop", "train"))) == 1


def test_leaving_out_what_a_viewpoint_may_not_settle(
    run: Run, tmp_path: Path, viewpoint_bundle: Path, capsys: Capture
) -> None:
    poses = [car("a.png", ambiguity=0.97), car("b.png", 70)]
    asked = ("--labels", "bop,kitti", "--bundle", viewpoint_bundle)
    assert run(poses, *asked, out="kept") == 0
    said = capsys.readouterr().err
    assert "1 of 2 objects stand in BOP or KITTI although" in said
    assert "told the viewpoint" in said
    assert run(poses, *asked, "--leave-ambiguous") == 0
    said = capsys.readouterr().err
    for name in ("bop", "kitti"):
        assert f"labels/{name}: 1 of 2 objects are left out: its silhouette leaves" in said
    assert "although" not in said
    assert len(list(read_bop(tmp_path / "out/labels/bop", "train"))) == 1
    assert run(poses, *asked) == 2
    assert "--leave-ambiguous" in capsys.readouterr().err
    assert run(poses[:1], *asked, "--leave-ambiguous", out="none") == 2
    assert "no object could stand there" in capsys.readouterr().err
    assert run(poses, *asked, "--leave-ambiguous", "--keep-ambiguous", out="both") == 2
    assert "--keep-ambiguous: the opposite of --leave-ambiguous" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--keep-ambiguous", "--leave-ambiguous"])
def test_ambiguity_is_nothing_to_other_formats(run: Run, capsys: Capture, option: str) -> None:
    assert run([car("a.png")], option) == 2
    assert f"{option}: is about poses in BOP and KITTI" in capsys.readouterr().err
    assert run([], option, others=("a.png",)) == 2


@pytest.mark.parametrize(
    ("labels", "expected"),
    [("", "--labels: names no format; give none"), ("bop,none", "bop,none: none stands alone")],
)
def test_no_labels_must_be_said(run: Run, capsys: Capture, labels: str, expected: str) -> None:
    assert run([], "--labels", labels, others=("a.png",)) == 2
    assert expected in capsys.readouterr().err


def elsewhere(pose: Pose) -> Pose:
    x, y, z = pose.t_m2c
    return msgspec.structs.replace(pose, t_m2c=(x + 9000, y, z))


@pytest.mark.parametrize("label", ["bop", "kitti"])
def test_poses_beside_their_masks(run: Run, tmp_path: Path, capsys: Capture, label: str) -> None:
    poses = [car(f"{n}.png", 20 * n) for n in range(4)]
    assert run(poses, "--labels", "coco") == 0  # writes the masks
    options: list[object] = ["--masks", tmp_path / "masks", "--poses", tmp_path / "poses.jsonl"]
    options += ["--labels", label, "--out", tmp_path / "second"]
    write_poses(tmp_path / "poses.jsonl", [elsewhere(pose) for pose in poses])
    assert posegen_run(*options) == 2
    error = capsys.readouterr().err
    assert f"--labels {label}: the poses do not belong to the masks: of 4 of 4" in error
    assert not (tmp_path / "second").exists()
    write_poses(tmp_path / "poses.jsonl", [elsewhere(poses[0]), *poses[1:]])
    assert posegen_run(*options) == 0
    said = capsys.readouterr().err
    assert f"labels/{label}: 1 of 4 objects are left out: its pose puts the model's origin" in said


def test_two_poses_of_one_mask(run: Run, tmp_path: Path, capsys: Capture) -> None:
    assert run([car("a.png"), car("a.png", 60)], "--labels", "bop") == 2
    error = capsys.readouterr().err
    assert "poses.jsonl:2: mask a.png has a pose already; keep one" in error


def test_poses_of_masks_that_are_missing(run: Run, tmp_path: Path, capsys: Capture) -> None:
    poses = [car("a.png"), car("b.png")]
    assert run(poses, "--labels", "bop") == 0
    (tmp_path / "masks/b.png").unlink()
    write_poses(tmp_path / "poses.jsonl", poses)
    options = ["--masks", tmp_path / "masks", "--poses", tmp_path / "poses.jsonl"]
    assert posegen_run(*options, "--out", tmp_path / "second", "--labels", "bop") == 0
    assert "1 of 2 poses name no mask in the masks folder, such as b.png" in capsys.readouterr().err


def test_fresh_knows_every_file(run: Run, tmp_path: Path) -> None:
    labels = ("--labels", "coco,yolo,bop,kitti")
    poses = [car(f"{n}.png", 20 * n) for n in range(8)]
    assert run(poses, *labels, "--split", "0.6,0.4") == 0
    (tmp_path / "out/labels/.bop.part/train/000000").mkdir(parents=True)
    (tmp_path / "out/labels/.bop.part/train/000000/scene_gt.json").touch()
    assert run(poses, *labels, "--fresh") == 0
    assert not (tmp_path / "out/labels/bop/val").exists()
    (tmp_path / "out/labels/bop/notes.txt").touch()
    assert run(poses, *labels, "--fresh") == 2


def test_shards_merge_to_what_one_run_writes(run: Run, tmp_path: Path) -> None:
    labels = ("--labels", "coco,yolo,bop,kitti", "--split", "0.6,0.4")
    poses = [car(f"{n}.png", 20 * n) for n in range(8)]
    assert run(poses, *labels) == 0
    for part in (1, 2):
        assert run(poses, *labels, "--shard", f"{part}/2", out=f"part{part}") == 0
    parts = [tmp_path / f"part{part}" for part in (2, 1)]
    assert posegen_run("--merge", *parts, "--out", tmp_path / "merged") == 0
    assert outputs(tmp_path / "merged") == outputs(tmp_path / "out")
    for folder in ("labels/bop/val", "labels/kitti/training/label_2"):
        assert any(name.startswith(folder) for name in outputs(tmp_path / "merged"))


def test_an_empty_part_is_said_and_can_be_read(run: Run, tmp_path: Path, capsys: Capture) -> None:
    poses = [car("a.png"), car("b.png", 70)]
    asked = ("--labels", "coco,yolo,bop,kitti", "--split", "0.999,0.001", "--per-mask", 1)
    assert run(poses, *asked) == 0
    said = capsys.readouterr().err
    assert "--split: val is empty: none of the 2 images, of 2 masks or frames" in said
    assert "train is empty" not in said
    labels = tmp_path / "out/labels"
    assert json.loads((labels / "coco/instances_val.json").read_text())["images"] == []
    assert (labels / "yolo/val.txt").read_text() == ""
    assert (labels / "kitti/ImageSets/val.txt").read_text() == ""
    assert list(read_bop(labels / "bop", "val")) == []
    assert len(list(read_bop(labels / "bop", "train"))) == 2
    names = ["mask", "mask_visib", "rgb"]
    names += ["scene_camera.json", "scene_gt.json", "scene_gt_info.json"]
    assert sorted(path.name for path in (labels / "bop/val/000000").iterdir()) == names
    assert run(poses, *asked, "--fresh") == 0


def test_one_category_for_poses_of_several(run: Run, tmp_path: Path, capsys: Capture) -> None:
    poses = [car("a.png", category="truck"), car("b.png", 70, category="van")]
    assert run(poses, "--category", "car:7") == 0
    said = capsys.readouterr().err
    assert "--category car:7: takes the place of the poses' categories (truck, van)" in said
    written = [json.loads(x) for x in (tmp_path / "out/labels/poses.jsonl").open()]
    assert [pose["category"] for pose in written] == ["car", "car"]
    assert run(poses, out="own") == 0
    written = [json.loads(x) for x in (tmp_path / "own/labels/poses.jsonl").open()]
    assert [pose["category"] for pose in written] == ["truck", "van"]
    assert run([car("a.png", category="car")], "--category", "car:7", out="same") == 0
    assert "takes the place" not in capsys.readouterr().err


def test_the_manifest_leaves_out_what_says_nothing(run: Run, tmp_path: Path) -> None:
    assert run([car("a.png")]) == 0
    (row,) = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").open()]
    assert not {"visible_fraction", "visible", "unclear_share", "notes"} & row.keys()


def test_image_sizes_that_fit_no_mask(run: Run, tmp_path: Path, capsys: Capture) -> None:
    height, width = SIZE
    swapped = [car("a.png"), car("b.png", 70)]
    assert run(swapped) == 0  # draws the masks
    options: list[object] = ["--masks", tmp_path / "masks", "--out", tmp_path / "other"]
    options += ["--poses", tmp_path / "poses.jsonl"]
    poses = [msgspec.structs.replace(pose, image_size=(height, width)) for pose in swapped]
    write_poses(tmp_path / "poses.jsonl", poses)
    capsys.readouterr()
    assert posegen_run(*options) == 2
    error = capsys.readouterr().err
    assert "image_size is [width, height] of the mask and fits none of the 2 looked at" in error
    assert f"the mask is {width}×{height} pixels, its pose says {height}×{width}" in error
    assert not (tmp_path / "other").exists()
    write_poses(tmp_path / "poses.jsonl", [poses[0], swapped[1]])
    assert posegen_run(*options) == 1  # that one mask costs its row


def test_a_replay_writes_them_too(run: Run, tmp_path: Path) -> None:
    poses = [car(f"{n}.png", 20 * n, ambiguity=0.95) for n in range(3)]
    options = ("--labels", "coco,bop,kitti", "--split", "0.6,0.4", "--keep-ambiguous")
    assert run(poses, *options) == 0
    again = tmp_path / "again"
    assert posegen_run("--replay", tmp_path / "out/run.json", "--out", again) == 0
    first, second = (
        json.loads((out / "run.json").read_text())["options"] for out in (tmp_path / "out", again)
    )
    assert first["split"] == second["split"] == [0.6, 0.4]
    assert first["keep_ambiguous"]
    for name, data in outputs(tmp_path / "out").items():
        assert outputs(again)[name] == data, name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"dims_hwl_m": None}, "of 2: its pose has no dims_hwl_m"),
        ({"R_m2c": turned(30, 20).ravel().tolist()}, "of 2: it leans by more than 3°"),
    ],
)
def test_no_object_that_kitti_could_hold(
    run: Run, tmp_path: Path, capsys: Capture, changes: dict[str, Any], expected: str
) -> None:
    poses = [car("a.png", **changes), car("b.png", **changes)]
    assert run(poses, "--labels", "kitti") == 2
    assert f"--labels kitti: no object could stand there; {expected}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_dims_in_another_order(run: Run, capsys: Capture) -> None:
    height, width, length = DIMS
    turned_round = [car(f"{n}.png", 20 * n, dims_hwl_m=(height, length, width)) for n in range(4)]
    assert run(turned_round, "--labels", "coco,kitti") in (0, 1)
    (line,) = [x for x in capsys.readouterr().err.splitlines() if "wider than long" in x]
    assert "4 of 4 objects are wider than long: dims_hwl_m is [height, width, length]" in line
    assert run([car("0.png")], "--labels", "coco,kitti", out="right") == 0
    assert "wider than long" not in capsys.readouterr().err


@pytest.mark.parametrize("label", ["bop", "kitti"])
def test_a_format_that_ends_up_empty_is_no_success(
    run: Run, tmp_path: Path, tiny_bundle: Path, capsys: Capture, label: str
) -> None:
    # The only mask that could stand there cannot be read.
    good, bad = car("a.png", dims_hwl_m=(9.0, 9.0, 9.0)), car("b.png", 60)
    if label == "bop":
        good = car("a.png", ambiguity=0.99)
    assert run([good, bad], "--labels", "coco") == 0
    (tmp_path / "masks/b.png").write_bytes(b"none")
    options: list[object] = ["--masks", tmp_path / "masks", "--poses", tmp_path / "poses.jsonl"]
    options += ["--bundle", tiny_bundle, "--labels", f"coco,{label}", "--out", tmp_path / "second"]
    assert posegen_run(*options) == 1
    assert f"error: labels/{label} is empty: every object is" in capsys.readouterr().err
    poses = [msgspec.structs.replace(good, mask="a.png")]
    (tmp_path / "masks/b.png").unlink()
    write_poses(tmp_path / "poses.jsonl", poses)
    if label == "kitti":
        options[-1] = tmp_path / "third"
        assert posegen_run(*options) == 1
        assert "error: labels/kitti is empty" in capsys.readouterr().err


def test_kitti_is_png(run: Run, capsys: Capture) -> None:
    assert run([car("a.png")], "--labels", "kitti", "--format", "jpg") == 2
    assert "its images are PNG" in capsys.readouterr().err


def test_axes_of_the_model_are_part_of_the_run(run: Run, capsys: Capture) -> None:
    labels = ("--labels", "coco,kitti")
    assert run([car("a.png")], *labels) == 0
    assert run([car("a.png")], *labels, "--model-forward=-x") == 2
    assert "--model-forward (x there, -x here)" in capsys.readouterr().err
