"""The rendering benchmark counts the command's own seconds, and its exit code tells the bound."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "render_rate.py"


@pytest.fixture
def render_rate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("render_rate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_times_the_command(render_rate: ModuleType) -> None:
    figures = render_rate.measure(samples=2, workers=1, image_size=32)
    assert figures["samples_per_second"] == pytest.approx(2 / figures["wall_seconds"])
    assert 0.1 < figures["cpu_seconds"] < 60
    assert render_rate.BOUND == 8


@pytest.mark.parametrize(("rate", "code"), [(8.5, 0), (7.5, 1)])
def test_the_exit_code_tells_the_bound(
    render_rate: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rate: float,
    code: int,
) -> None:
    figures = dict.fromkeys(("wall_seconds", "cpu_seconds", "samples_per_cpu_second"), 1.0)
    figures["samples_per_second"] = rate
    monkeypatch.setattr(render_rate, "measure", lambda *_: figures)
    app = render_rate.typer.Typer()
    app.command()(render_rate.main)
    ended = CliRunner().invoke(app, ["--json", str(tmp_path / "rate.json")])
    assert ended.exit_code == code
    assert f"{rate} samples/s" in ended.stdout
    assert json.loads((tmp_path / "rate.json").read_text())["bound"] == 8
