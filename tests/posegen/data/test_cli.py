"""`posegen data`: the commands, and what they say to bad input."""

import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
import trimesh

from posegen.data.cli import app
from posegen.data.dataset import open_dataset
from posegen_runtime.console import run_app
from posegen_runtime.poses import read_poses, write_poses


@pytest.fixture
def brick(tmp_path: Path) -> Path:
    trimesh.creation.box((400, 180, 150)).export(tmp_path / "brick.stl")
    return tmp_path / "brick.stl"


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that the command ends with."""
    assert run_app(app, [str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    return printed.err


def test_masks_of_sampled_poses(brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "out"
    line = ["masks", "--mesh", brick, "--mesh-unit", "cm", "--sample", 3, "--distance", "9:12",
            "--elevation", "10:20", "--image-size", "80x60", "--out", out]  # fmt: skip
    assert run_app(app, [str(argument) for argument in line]) == 0
    assert "3 silhouettes" in capsys.readouterr().out
    poses = read_poses(out / "poses.jsonl")
    assert {pose.category for pose in poses.values()} == {"brick"}
    assert sorted(path.name for path in (out / "masks").iterdir()) == sorted(poses)


def test_render_of_a_mesh(brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "out"
    line = ["render", "--mesh", brick, "--mesh-unit", "cm", "--up", "y", "--cars", 3,
            "--samples", 4, "--image-size", 64, "--workers", 1, "--out", out]  # fmt: skip
    assert run_app(app, [str(argument) for argument in line]) == 0
    assert "samples/s" in capsys.readouterr().out
    description = open_dataset(out).description
    assert description.splits == {"train": 2, "val": 1, "test": 1}
    assert "user" in description.licence


def test_sensor_options_change_photos_and_not_masks(tmp_path: Path) -> None:
    line = ["render", "--cars", "1", "--samples", "2", "--image-size", "64", "--workers", "1"]
    for name, options in {
        "plain": [],
        "noisy": ["--noise", "6:6"],
        "soft": ["--blur", "2:2"],
    }.items():
        assert run_app(app, [*line, *options, "--out", str(tmp_path / name)]) == 0

    def read(name: str, kind: str) -> np.ndarray:
        files = sorted((tmp_path / name).glob(f"*/*/{kind}/*.png"))
        return np.stack([np.asarray(cv2.imread(str(file))) for file in files]).astype(float)

    for kind in ("mask", "mask_visib"):
        assert np.array_equal(read("plain", kind), read("noisy", kind))
        assert np.array_equal(read("plain", kind), read("soft", kind))
    for kind in ("rgb", "background", "appearance"):
        plain, noisy, soft = (read(name, kind) for name in ("plain", "noisy", "soft"))
        inner = (plain > 40) & (plain < 215)
        assert 4 < (noisy - plain)[inner].std() < 8
        assert np.abs(np.diff(soft, axis=2)).mean() < 0.7 * np.abs(np.diff(plain, axis=2)).mean()
    noise = [(read("noisy", kind) - read("plain", kind)).ravel() for kind in ("rgb", "background")]
    assert abs(np.corrcoef(*noise)[0, 1]) < 0.1  # a photo and its background are two exposures


def test_masks_of_a_mesh_far_from_its_origin(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """In coordinates of an assembly the origin may come behind the camera; no file says so."""
    mesh, out = tmp_path / "part.stl", tmp_path / "out"
    trimesh.creation.box((1, 1, 1)).apply_translation((10, 5, 0)).export(mesh)
    line = ["masks", "--mesh", mesh, "--sample", 4, "--image-size", "32x32", "--out", out]
    said = fails(capsys, *line, "--distance", "3:14")
    assert f"origin of {mesh} lies 11.18 m" in said
    assert not out.exists()
    assert run_app(app, [str(word) for word in [*line, "--distance", "12:14"]]) == 0
    assert len(read_poses(out / "poses.jsonl")) == 4


def write_scene(root: Path) -> Path:
    """A BOP scene of two images, objects 5 and 8 in each."""
    scene = root / "scene" / "000001"
    pose = {"cam_R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1], "cam_t_m2c": [0, 0, 9000]}
    shown = {str(image): [pose | {"obj_id": 5}, pose | {"obj_id": 8}] for image in range(2)}
    camera = {str(image): {"cam_K": [50, 0, 32, 0, 50, 32, 0, 0, 1]} for image in range(2)}
    scene.mkdir(parents=True)
    (scene / "scene_gt.json").write_text(json.dumps(shown))
    (scene / "scene_camera.json").write_text(json.dumps(camera))
    (root / "camera.json").write_text('{"width": 64, "height": 64}')
    return scene


def test_masks_of_one_object_of_a_scene(
    brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    scene, out = write_scene(tmp_path), tmp_path / "out"
    line = ["masks", "--mesh", brick, "--mesh-unit", "cm", "--poses", scene, "--out", out]
    assert "--category: obj_000005, obj_000008" in fails(capsys, *line)
    assert "has only obj_000005, obj_000008" in fails(capsys, *line, "--category", "obj_000006")
    assert not out.exists()
    assert run_app(app, [str(word) for word in [*line, "--category", "obj_000008"]]) == 0
    assert sorted(path.name for path in (out / "masks").iterdir()) == [
        "000000_000001.png",
        "000001_000001.png",
    ]
    assert {pose.category for pose in read_poses(out / "poses.jsonl").values()} == {"obj_000008"}


def test_the_size_of_a_scene_without_masks(
    brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    scene, out = write_scene(tmp_path), tmp_path / "out"
    (tmp_path / "camera.json").unlink()
    line = ["masks", "--mesh", brick, "--mesh-unit", "cm", "--category", "obj_000005"]
    assert "also takes --image-size" in fails(capsys, *line, "--poses", scene, "--out", out)
    sized = [*line, "--image-size", "72x64"]
    assert run_app(app, [str(word) for word in [*sized, "--poses", scene, "--out", out]]) == 0
    poses = out / "poses.jsonl"
    assert {pose.image_size for pose in read_poses(poses).values()} == {(72, 64)}
    capsys.readouterr()
    said = fails(capsys, *sized, "--poses", poses, "--out", tmp_path / "again")
    assert "each pose in" in said


def test_ambiguity_of_given_poses(
    brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """A brick looks the same from behind; poses of other objects pass through."""
    out, again = tmp_path / "out", tmp_path / "again.jsonl"
    line = ["masks", "--mesh", brick, "--mesh-unit", "cm", "--sample", 3, "--distance", "9:12",
            "--image-size", "80x60", "--no-ambiguity", "--out", out]  # fmt: skip
    assert run_app(app, [str(word) for word in line]) == 0
    poses = list(read_poses(out / "poses.jsonl").values())
    assert [pose.ambiguity for pose in poses] == [None] * 3
    mixed = [*poses[:2], msgspec.structs.replace(poses[2], category="other", ambiguity=0.25)]
    write_poses(out / "poses.jsonl", mixed)
    capsys.readouterr()
    line = ["ambiguity", "--mesh", brick, "--mesh-unit", "cm", "--poses", out / "poses.jsonl"]
    assert "--category: brick, other" in fails(capsys, *line, "-o", again)
    assert run_app(app, [str(word) for word in [*line, "-o", again, "--category", "brick"]]) == 0
    assert f"{again}: 2 poses, 2 ambiguous" in capsys.readouterr().out
    found = list(read_poses(again).values())
    assert [pose.ambiguous for pose in found] == [True, True, False]
    assert found[2] == mixed[2]
    assert [msgspec.structs.replace(pose, ambiguity=None) for pose in found[:2]] == poses[:2]


def test_ambiguity_of_a_mesh_in_another_unit(
    brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out"
    line = ["masks", "--mesh", brick, "--mesh-unit", "cm", "--sample", 3, "--distance", "9:12",
            "--image-size", "80x60", "--out", out]  # fmt: skip
    assert run_app(app, [str(word) for word in line]) == 0
    line = ["ambiguity", "--mesh", brick, "--poses", out / "poses.jsonl", "-o", out / "new.jsonl"]
    assert run_app(app, [str(word) for word in line]) == 2
    assert "check --mesh-unit" in capsys.readouterr().err
    assert not (out / "new.jsonl").exists()


def test_ambiguity_of_a_scene_goes_into_lines(brick: Path, tmp_path: Path) -> None:
    scene, out = write_scene(tmp_path), tmp_path / "poses.jsonl"
    line = ["ambiguity", "--mesh", brick, "--mesh-unit", "cm", "--poses", scene,
            "--category", "obj_000005", "--out", out]  # fmt: skip
    assert run_app(app, [str(word) for word in line]) == 0
    poses, given = read_poses(out), read_poses(scene)
    assert {n: msgspec.structs.replace(p, ambiguity=None) for n, p in poses.items()} == given
    for name, pose in poses.items():
        assert (pose.ambiguity is not None) == name.endswith("_000000.png")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sample", "2"], "--distance"),
        ([], "either --poses FILE or --sample N"),
        (["--sample", "2", "--distance", "near"], "--distance near"),
        (["--sample", "2", "--distance", "5:2"], "A <= B"),
        (["--sample", "2", "--distance", "5", "--elevation", "0:95"], "--elevation"),
        (["--sample", "2", "--distance", "5", "--image-size", "256"], "WxH"),
        (["--sample", "2", "--distance", "5"], "--mesh-unit"),
        (["--poses", "none.jsonl"], "none.jsonl"),
    ],
)
def test_bad_options_of_masks(
    brick: Path, tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], says: str
) -> None:
    out = tmp_path / "out"
    assert says in fails(capsys, "masks", "--mesh", brick, "--out", out, *arguments)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--elevation", "30:10"], "--elevation"),
        (["--fill", "0.5:1.5"], "--fill"),
        (["--noise", "9:2"], "--noise 9:2"),
        (["--blur", "soft"], "--blur soft"),
        (["--blur=-1:2"], "--blur -1:2"),
        (["--mesh", "none.obj"], "none.obj"),
        (["--cars", "5", "--samples", "4"], "--samples 4"),
    ],
)
def test_bad_options_of_render(
    tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], says: str
) -> None:
    assert says in fails(capsys, "render", "--out", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


def test_render_into_an_occupied_folder(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert "not empty" in fails(capsys, "render", "--out", tmp_path)
