"""The table counts wrong headings as it says, and a small run fills it from a rendered data set."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from posegen.data.cli import app as data_app
from posegen_runtime.console import run_app

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ambiguity.py"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ambiguity", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_wrong_headings_among_the_chosen(script: ModuleType) -> None:
    columns = {name: np.array([0.0, 91, 180, 90]) for name in script.JUDGED}
    columns["real"] = np.zeros(4)
    row = script._shares("some", columns, np.array([True, True, False, True]))
    assert row == {
        "name": "some",
        "images": 3,
        "wrong": {"real": 0, "outline": 1, "without": 1, "with": 1},
    }
    none = script._shares("none", columns, np.zeros(4, bool))
    *_, some, empty = script._markdown("which", [row, none]).splitlines()
    assert some == "| some | 3 | 0 (0.0%) | 1 (33.3%) | 1 (33.3%) | 1 (33.3%) |"
    assert empty == "| none | 0 | - | - | - | - |"


@pytest.mark.slow
def test_a_small_run(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "figures.json"
    render = ["render", "--cars", "3", "--samples", "6", "--workers", "1", "--out", str(data)]
    assert run_app(data_app, render) == 0
    parts = ["--part", str(data / "test"), "--part", str(data / "val")]
    assert run_app(script.app, [*parts, "--json", str(out)]) == 0
    assert "made with viewpoint" in capsys.readouterr().out
    record = json.loads(out.read_bytes())
    values = np.array(record["samples"]["ambiguity"])
    assert len(values) == 4
    assert (values > 0.5).all()
    assert (values <= 1).all()
    assert sum(row["images"] for row in record["by_ambiguity"]) == 4
    everything, *_, left_out = record["labelled"]
    assert (everything["images"], left_out["images"]) == (4, (values > 0.9).sum())
    headings = np.array([record["samples"][name] for name in script.JUDGED])
    assert np.isfinite(headings).all()
