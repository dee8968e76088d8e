"""The whole command, small: a table of five sets, resumable, with clear refusals."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from posegen.cli import app, main
from posegen.evaluation.heading import azimuth, heading_error
from posegen.experiments.usefulness.config import Config
from posegen.experiments.usefulness.renders import Drawn, Part, load
from posegen.experiments.usefulness.views import ELEVATION, estimated, level
from posegen_runtime.errors import PoseGenError

SMALL = ["--image-size", "32", "--cars", "3", "--images", "12", "--photos", "12", "--test", "6"]
SMALL += ["--posegen-steps", "4", "--steps", "3", "--batch-size", "4", "--seeds", "2"]


def usefulness(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["experiments", "usefulness", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("usefulness") / "run"
    usefulness("--out", str(out), *SMALL)
    return out


@pytest.mark.slow
def test_the_table_compares_five_sets(finished: Path) -> None:
    text = (finished / "table.md").read_text()
    assert text.count("no poses") >= 4
    assert all(f"| **{number}" in text for number in range(1, 6))
    content = json.loads((finished / "table.json").read_text())
    for name, found in content["sets"].items():
        assert found["seeds"] == 2
        assert 0 <= found["iou"]["mean"] <= 1
        assert (found["yaw_median"] is None) == (name == "2 cut-and-paste")
    assert len((finished / "scores.csv").read_text().splitlines()) == 11
    assert (finished / "sets.png").stat().st_size > 1000


@pytest.mark.slow
def test_sets_hold_the_simulators_labels_and_never_the_photos_poses(finished: Path) -> None:
    config = Config(image_size=32, cars=3, images=12, photos=12, test=6)
    sim = load(config, finished / "renders", Part.SIM)
    for file in ("1.npz", "3.npz"):
        made = np.load(finished / "sets" / file)
        assert (made["mask"] == sim.mask).all()
        assert np.allclose(heading_error(made["azimuth"], azimuth(sim.viewpoint)), 0, atol=1e-4)
    one, three = (np.load(finished / "sets" / name)["image"] for name in ("1.npz", "3.npz"))
    outside = sim.cover == 0
    difference = np.abs(one[outside].astype(int) - three[outside])
    assert np.median(difference) <= 2  # both lie on the same empty scenes
    assert np.isnan(np.load(finished / "sets" / "2.npz")["azimuth"]).all()


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_repeats_nothing(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    shutil.rmtree(out / "learners" / "union-1")
    for name in ("table.md", "table.json", "scores.csv"):
        (out / name).unlink()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    usefulness("--out", str(out), *SMALL)
    after = {path: path.stat().st_mtime_ns for path in before}
    rewritten = {path.name for path in before if before[path] != after[path]}
    assert rewritten == {"sets.png"}
    for name in ("table.md", "scores.csv"):
        assert (out / name).read_text() == (finished / name).read_text()


@pytest.mark.slow
def test_a_given_model_makes_the_images(finished: Path, tmp_path: Path) -> None:
    model = finished / "posegen" / "details" / "last.safetensors"
    few = ["--image-size", "64", "--cars", "1", "--images", "2", "--photos", "2", "--test", "1"]
    few += ["--steps", "1", "--batch-size", "2", "--seeds", "1"]
    usefulness("--out", str(tmp_path / "run"), "--posegen", str(model), *few)
    assert not (tmp_path / "run" / "posegen").exists()
    made_from = "by a given model from mask, appearance, background, viewpoint"
    assert made_from in (tmp_path / "run" / "table.md").read_text()
    assert np.load(tmp_path / "run" / "sets" / "3.npz")["image"].shape == (2, 64, 64, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cars", "9", "--images", "8"], "--cars 9: more than --images 8"),
        (["--image-size", "50"], "--image-size 50: take a multiple of 32"),
        (["--posegen", "nowhere"], "nowhere: no such file or folder"),
    ],
)
def test_bad_options_are_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["posegen", "experiments", "usefulness", "--out", str(tmp_path / "run"), *arguments]
    monkeypatch.setattr("sys.argv", given)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("variant", "warning"),
    [
        ("pose", "takes no appearance and no background, so"),
        ("pose-appearance", "takes no background, so"),
        ("pose-appearance-background", None),
    ],
)
def test_a_model_that_does_not_see_the_photos_is_warned_of(
    variant: str,
    warning: str | None,
    moving_checkpoint: Callable[[str, str], Path],
    tmp_path: Path,
) -> None:
    (tmp_path / "thesis.tex").touch()  # refused, so that nothing is rendered
    model = moving_checkpoint("bottleneck", variant)
    given = ["experiments", "usefulness", "--out", str(tmp_path), "--posegen", str(model)]
    result = CliRunner().invoke(app, given)
    assert isinstance(result.exception, PoseGenError)
    assert ("warning" in result.output) == (warning is not None)
    assert (warning or "") in result.output


def test_headings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "azimuth.npy").write_bytes(b"\x93NUMPY")
    nothing = np.zeros((0, 32, 32), np.uint8)
    sim = Drawn(nothing, nothing, nothing, *(np.zeros(0),) * 2, nothing)
    with pytest.raises(PoseGenError, match=r"azimuth\.npy: unreadable"):
        estimated(Config(), sim, nothing, tmp_path)


def test_views_keep_the_azimuth_at_one_elevation() -> None:
    angles = np.array([0.0, 2.0, -3.0])
    views = level(angles)
    assert np.allclose(azimuth(views), angles, atol=1e-6)
    assert np.allclose(np.linalg.norm(views, axis=1), 1, atol=1e-6)
    assert np.allclose(views[:, 2], np.sin(ELEVATION))
