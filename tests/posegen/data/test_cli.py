"""`posegen data`: the commands, and what they say to bad input."""

from pathlib import Path

import pytest
import trimesh

from posegen.data.cli import app
from posegen.data.dataset import open_dataset
from posegen_runtime.console import run_app
from posegen_runtime.poses import read_poses


@pytest.fixture
def brick(tmp_path: Path) -> Path:
    trimesh.creation.box((400, 180, 150)).export(tmp_path / "brick.stl")
    return tmp_path / "brick.stl"


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that the command ends with."""
    assert run_app(app, [str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
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
        (["--mesh", "none.obj"], "none.obj"),
        (["--cars", "5", "--samples", "4"], "--samples 4"),
    ],
)
def test_bad_options_of_render(
    tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], says: str
) -> None:
    assert says in fails(capsys, "render", "--out", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()
