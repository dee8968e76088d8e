"""The comparison holds every row, shows what it says, and goes on where it was stopped."""

import importlib.util
import json
import os
import signal
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from posegen.training import loop as loop_module
from posegen.training import step as step_module
from posegen_runtime.console import run_app
from synthetic_dataset import write_dataset

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "side_by_side.py"
SIZE, SAMPLES, STEPS = 32, 4, 3
FOLDERS = ["spatial-viewpoint", "spatial", "bottleneck", "bottleneck-pose-alone"]
ROWS = ["spatial, viewpoint", "spatial", "bottleneck", "bottleneck, pose alone"]


@pytest.fixture
def side_by_side(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("side_by_side", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SIZE", SIZE)
    monkeypatch.setattr(module, "BATCH", 2)
    return module


def run(module: ModuleType, data: Path, out: Path, *options: str) -> int:
    given = ["--data", str(data), "--out", str(out), "--samples", str(SAMPLES)]
    tiny = ["--preset", "tiny", "--precision", "32", "--steps", str(STEPS)]
    return run_app(module.app, [*given, *tiny, *options])


def sheet(*rows: int) -> np.ndarray:
    """Three samples of 4 px; each row of one level."""
    return np.repeat(np.array(rows, np.uint8), 4)[:, None, None] * np.ones((1, 12, 3), np.uint8)


def test_the_pictures_rows(side_by_side: ModuleType) -> None:
    """Mask, appearance and background, what each model made, the photo; also of a model that takes
    the mask alone."""
    sheets = [sheet(1, 2, 3, 10, 4), sheet(1, 2, 3, 11, 4), sheet(1, 12, 4)]
    assert np.array_equal(side_by_side._picture(sheets), sheet(1, 2, 3, 10, 11, 12, 4))


def test_every_row_of_the_table_is_a_line(side_by_side: ModuleType) -> None:
    keys = list(side_by_side.FIGURES)
    names = ["value", "real", "control"]
    figures = {k: {n: 1000.0 * j + i for j, n in enumerate(names)} for i, k in enumerate(keys)}
    table = side_by_side._table(dict.fromkeys(side_by_side.ROWS, figures))
    assert list(table) == [*ROWS, "real renders", "control"]
    assert table["bottleneck"] == {key: i for i, key in enumerate(keys)}
    assert table["real renders"] == {key: 1000 + i for i, key in enumerate(keys)}
    assert table["control"] == {key: 2000 + i for i, key in enumerate(keys)}
    table["control"] = dict.fromkeys(keys)
    lines = side_by_side._markdown(table).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [f"| {name}" for name in table]
    assert all(line.count("|") == len(keys) + 2 for line in lines)
    assert lines[-1] == "| control |" + " - |" * len(keys)


@pytest.mark.slow
def test_from_a_stopped_run_to_table_and_picture(
    side_by_side: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    data = write_dataset(tmp_path / "data", train=6, val=2, test=6)
    out = tmp_path / "out"

    def interrupted(state: Any, batch: Any, config: Any, fabric: Any) -> Any:
        if (config.model.arch.value, state.step) == ("bottleneck", 1):
            os.kill(os.getpid(), signal.SIGINT)
        return step_module.train_step(state, batch, config, fabric)

    with monkeypatch.context() as patch:
        patch.setattr(loop_module, "train_step", interrupted)
        assert run(side_by_side, data, out) == 130
    assert "stopped at step 2, saved; repeat the command" in capfd.readouterr().err
    assert not (out / "side_by_side.json").exists()
    trained = (out / "spatial" / "last.safetensors").stat().st_mtime_ns
    assert run(side_by_side, data, out) == 0
    assert (out / "spatial" / "last.safetensors").stat().st_mtime_ns == trained
    printed = capfd.readouterr()
    assert printed.err.count("going on at step 2") == 1
    assert f"{STEPS} steps of 2 images, {SIZE} px, {SAMPLES} test images" in printed.out

    table = json.loads((out / "side_by_side.json").read_text())
    assert list(table) == [*ROWS, "real renders", "control"]
    reports = [json.loads((out / f"{name}.json").read_text()) for name in FOLDERS]
    assert [each["inputs"] for each in reports] == [
        ["mask", "appearance", "background", "viewpoint"],
        *[["mask", "appearance", "background"]] * 2,
        ["mask"],
    ]
    for name, report in zip(ROWS, reports, strict=True):
        assert report["dataset"]["images"] == SAMPLES
        measured = report["figures"]
        assert table[name] == {key: measured[key]["value"] for key in side_by_side.FIGURES}
        assert f"\n| {name} |" in printed.out
    assert table["bottleneck, pose alone"]["background_psnr"] is None
    real, control = (
        {key: reports[0]["figures"][key][beside] for key in side_by_side.FIGURES}
        for beside in ("real", "control")
    )
    assert (table["real renders"], table["control"]) == (real, control)

    row = SIZE + 2
    sheets = [cv2.imread(str(out / f"{name}.png")).astype(int) for name in FOLDERS]
    made = [each[-2 * row : -row] for each in sheets]
    picture = cv2.imread(str(out / "side_by_side.jpg")).astype(int)
    assert picture.shape == (8 * row, SAMPLES * row, 3)
    expected = np.concatenate([sheets[0][: 3 * row], *made, sheets[0][-row:]])
    assert np.abs(picture - expected).mean() < 5  # JPEG
    photos = [sheets[0][-row:], sheets[-1][-row:]]
    assert np.array_equal(*photos)
