"""The whole of `posegen experiments tables` on coloured ellipses, at the tiny presets."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from posegen.cli import app
from posegen.experiments.rows import ROWS
from posegen.training import loop
from posegen_runtime.console import run_app
from simple_judges import write_judge
from small_inception import use_small_inception
from synthetic_dataset import write_dataset
from tiny_bundle import write_tiny_bundle

SHORT = ["--steps", "4", "--batch-size", "4", "--evaluate-every", "2", "--image-size", "64"]
TINY = ["--paper-preset", "tiny", "--spatial-preset", "tiny", "--device", "cpu"]
FEW = ["--row", "bottleneck-autoencoder", "--row", "bottleneck-unconditional", "--row"]
FEW += ["spatial-pose"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_judge(root / "judges" / "segmenter", "segmenter")
    return write_dataset(root / "d", train=24, val=6, test=12, size=64)


def run(data: Path, out: Path, *arguments: object) -> int:
    options = [str(data), "--out", str(out), *SHORT, *TINY, "--validation", "6"]
    options += ["--judges", str(data.parent / "judges"), *map(str, arguments)]
    return run_app(app, ["experiments", "tables", *options])


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All rows and a bundle, in one command."""
    folder = tmp_path_factory.mktemp("whole")
    bundle = write_tiny_bundle(folder / "bundle", "pose")
    assert run(data, folder / "out", "--model", bundle) == 0
    return folder / "out"


def test_every_row_of_both_tables_and_ours(whole: Path) -> None:
    with (whole / "table.csv").open() as file:
        titles = [row["method"] for row in csv.DictReader(file)]
    assert titles[:5] == [
        "Baseline: random RGB",
        "Oracle 1: autoencoder",
        "Oracle 2: random training image",
        "Oracle 3: closest training image by IoU",
        "Unconditional generation",
    ]
    assert titles[5:] == [row.title for row in ROWS.values() if row.variant.uses_mask] + [
        "bundle fp32"
    ]


def test_the_images_values_are_those_of_the_table(whole: Path) -> None:
    with (whole / "values.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    score = json.loads((whole / "rows" / "spatial-pose" / "score.json").read_bytes())
    mean = np.mean([float(row["iou_Ours:-pose"]) for row in rows])
    assert score["row"]["figures"]["iou"]["value"] == pytest.approx(mean, abs=1e-6)


def test_unconditional_images_answer_to_no_pose(whole: Path) -> None:
    path = whole / "rows" / "bottleneck-unconditional" / "score.json"
    figures = json.loads(path.read_bytes())["row"]["figures"]
    assert figures["iou"]["value"] is None
    assert figures["frechet_untrained"]["value"] > 0


def test_which_conditions_are_kept(whole: Path) -> None:
    table = (whole / "table.md").read_text()
    head = table.index(
        "| Method | pose IoU / real (shuffled masks) | heading wrong by > 90° | background PSNR, dB"
    )
    rows = [line.split("|")[1:-1] for line in table[head:].splitlines()[2:11]]
    cells = {name.strip(): [cell.strip() for cell in others] for name, *others in rows}
    assert len(cells) == 9, "six trained rows, the bundle, the photos, the controls"
    assert cells["Pose"][2] == cells["Pose + car"][2] == "-", "no background, no figure"
    assert float(cells["Pose + car + background"][2]) < float(cells["Real photos"][2])


def test_the_figures_and_the_page(whole: Path) -> None:
    assert {path.name[:4] for path in (whole / "figures").glob("*.png")} >= {"fig3", "fig4", "fig6"}
    page = (whole / "report.html").read_text()
    assert "Ours: pose + car + background" in page
    assert "weights-inception" in page, "why figures are missing"


def test_no_resume_file_is_left(whole: Path) -> None:
    assert not list(whole.rglob("resume.pt"))
    assert not (whole / "cache").exists()


def test_the_best_checkpoint_is_that_of_the_highest_score(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.9, 0.7])
    from posegen.experiments import choosing

    monkeypatch.setattr(
        choosing.Chooser, "score", lambda *_: {choosing.SCORE: next(scores), "val_iou": 0.1}
    )
    row = ["--row", "spatial-pose"]
    assert run(data, tmp_path / "o", *row, "--steps", "6") == 0
    from posegen.checkpoint import load_checkpoint

    info = load_checkpoint(tmp_path / "o" / "rows" / "spatial-pose").info
    assert (info.step, info.metrics[choosing.SCORE]) == (4, 0.9)


def test_the_same_command_measures_and_trains_nothing_again(
    data: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / "table.md").unlink()
    assert run(data, out) == 0
    told = capsys.readouterr().out
    assert "training" not in told.splitlines()[0]
    assert "measuring" not in told
    assert (out / "table.md").is_file()


def test_a_run_that_was_stopped_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert run(data, whole, *FEW) == 0
    steps = iter(range(100))
    real = loop.train_step

    def step(*arguments: object) -> object:
        if next(steps) == 6:  # in the second row
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(loop, "train_step", step)
        assert run(data, stopped, *FEW) != 0
    capsys.readouterr()
    assert run(data, stopped, *FEW) == 0
    assert "training bottleneck-autoencoder" not in capsys.readouterr().out
    for name in ("table.md", "table.csv", "values.csv"):
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()


def test_other_options_in_the_same_folder(
    data: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, whole, "--steps", "5") == 2
    assert "--steps is 5, the run was started with 4" in capsys.readouterr().err
    assert run(data, whole, "--seed", "3") == 2


def test_weights_that_come_later_measure_what_is_trained(
    data: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    weights = use_small_inception(monkeypatch, tmp_path)
    again = ["--weights", weights, "--kid-subset-size", "6"]
    assert run(data, out, *again) == 0
    assert "training spatial-pose" not in capsys.readouterr().out
    with (out / "table.csv").open() as file:
        assert all(row["fid"] for row in csv.DictReader(file))
    # A row that is still to be trained would be chosen by something else than the others.
    shutil.rmtree(out / "rows" / "spatial-pose")
    assert run(data, out, *again) == 2
    assert "to choose the best checkpoint by" in capsys.readouterr().err


def test_a_report_keeps_the_rows_that_are_trained(data: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    assert run(data, out, "--row", "bottleneck-unconditional") == 0
    with (out / "table.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3 + len(ROWS)


def test_what_a_later_row_cannot_take_is_said_before_the_first(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, tmp_path / "out", "--spatial-preset", "foo") == 2
    assert "preset foo" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_kill_while_measuring_again_leaves_no_figures_of_other_pictures(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("posegen.experiments.measured.write_atomic", killed)
        assert run(data, out, "--samples", "4") == 130
    assert run(data, out) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--row", "spatial-nothing"], "no such row; name one of bottleneck-"),
        (["--model", "absent"], "absent: no such file or folder"),
        (["--image-size", "128"], "smaller than the model's 128"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    said: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(data, tmp_path / "out", *arguments) == 2
    assert said in capsys.readouterr().err


def test_two_models_of_one_name(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_tiny_bundle(tmp_path / "a" / "cars", "pose")
    other = shutil.copytree(one, tmp_path / "b" / "cars")
    assert run(data, tmp_path / "out", "--model", one, "--model", other) == 2
    assert "b/cars: another row is named so" in capsys.readouterr().err


def test_a_data_set_without_test_images(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(data.parent / "judges", tmp_path / "judges")
    small = write_dataset(tmp_path / "d", train=6, val=4, size=64)
    assert run(small, tmp_path / "out") == 2
    assert "no samples in the split test" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
