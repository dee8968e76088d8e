"""The whole command as a user gives it, small: rendered cars, all rows, stopped and repeated."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

POSEGEN = [sys.executable, "-c", "from posegen.cli import main; main()"]
TINY = ["--paper-preset", "tiny", "--spatial-preset", "tiny", "--image-size", "64"]
SHORT = ["--steps", "12", "--batch-size", "4", "--evaluate-every", "6", "--validation", "8"]


def start(*arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*POSEGEN, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    told, wrong = process.communicate(timeout=300)
    return process.returncode, told + wrong


@pytest.mark.slow
def test_rendered_cars_from_nothing_to_the_report(tmp_path: Path) -> None:
    data, out = tmp_path / "cars", tmp_path / "out"
    render = ["--cars", 10, "--samples", 80, "--image-size", 128]
    code, told = finish(start("data", "render", "--out", data, *render))
    assert code == 0, told
    command = ["experiments", "tables", data, "--out", out, *TINY, *SHORT]

    process = start(*command)
    second = out / "rows" / "bottleneck-unconditional" / "config.json"
    while not second.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    code, told = finish(process)
    assert code == 130, told

    code, told = finish(start(*command))
    assert code == 0, told
    assert "training bottleneck-autoencoder" not in told
    with (out / "table.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert len(rows) == 11
    closest, noise = (
        float(rows[name]["iou"])
        for name in ("Oracle 3: closest training image by IoU", "Baseline: random RGB")
    )
    assert closest > noise + 0.3
    assert (out / "report.html").stat().st_size > 50_000
