"""The demonstration of whole frames runs, and what it finds is in order."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_few_frames(tmp_path: Path) -> None:
    out = tmp_path / "frames"
    command = [sys.executable, ROOT / "benchmarks" / "frames.py", "--out", out, "--masks", "5"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    found = json.loads((out / "report.json").read_text())
    assert found["objects"] == found["objects done"] == found["objects in BOP"] == 5
    assert found["pixels changed outside the crops"] == 0
    assert found["frames whose visible parts are not the whole masks' union"] == 0
    assert found["annotations carried over"] == found["frames"]
    assert found["of them on new objects"] == 0
    assert len(list((out / "look").iterdir())) == found["frames"]
