from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from posegen.training.progress import LINE_EVERY, Reporter


def scalars(run: Path, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    return [(e.step, e.value) for e in events.Scalars(name)]


def test_curves_and_pictures_reach_tensorboard(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path, 0, 100, enabled=True)
    with reporter.running():
        reporter.losses(10, {"object": 0.5}, 0.25)
        reporter.metrics(10, {"val_error": 0.125}, best=True)
        reporter.grid(10, np.zeros((4, 4, 3), np.uint8))
    assert scalars(tmp_path, "loss/object") == [(10, 0.5)]
    assert scalars(tmp_path, "learning_rate") == [(10, 0.25)]
    assert scalars(tmp_path, "val/val_error") == [(10, 0.125)]
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert events.Tags()["images"] == ["samples"]


def test_a_resume_replaces_the_part_of_the_curves_that_was_lost(tmp_path: Path) -> None:
    for first_step, values in ((0, {10: 1.0, 20: 2.0, 30: 3.0}), (10, {20: 5.0})):
        reporter = Reporter(tmp_path, first_step, 100, enabled=True)
        with reporter.running():
            for step, value in values.items():
                reporter.losses(step, {"object": value}, 0.0)
    assert scalars(tmp_path, "loss/object") == [(10, 1.0), (20, 5.0)]


def test_a_log_gets_plain_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(tmp_path, 0, 4 * LINE_EVERY, enabled=True)
    with reporter.running():
        for step in range(10, 2 * LINE_EVERY + 10, 10):
            reporter.losses(step, {"object": 0.5}, 0.0)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("step")]
    assert [line.split()[1] for line in lines] == ["100/400", "200/400"]
    assert "steps/s" in lines[0]
    assert "object 0.500" in lines[0]


def test_other_processes_are_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(tmp_path, 0, 100, enabled=False)
    with reporter.running():
        reporter.say("hello")
        reporter.losses(100, {"object": 0.5}, 0.0)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err.strip() == ""
