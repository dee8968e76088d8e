"""The benchmark of `--verify` tells a generator that was given other masks from the shipped one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from posegen.render.dataset import render_dataset
from posegen.render.poses import PoseRange
from posegen.render.worker import RenderPlan

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "verify.py"


@pytest.mark.slow
def test_it_tells_right_masks_from_others_and_times_both(tmp_path: Path) -> None:
    render_dataset(RenderPlan(tmp_path / "cars", "cars", 987, 256, 256, PoseRange()), 6, 20, 1)
    given = ["--split", "train", "--images", "8", "--rounds", "1", "--timed", "20"]
    command = [sys.executable, str(SCRIPT), str(tmp_path / "cars"), *given]
    subprocess.run([*command, "--out", str(tmp_path / "f.json")], check=True, capture_output=True)
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["shipped"]["generated"]["iou"] > 0.8
    assert figures["shuffled"]["shuffled masks"]["rejected"] == 1
    assert set(figures["speed"]["ratios"]) == {"plain", "verify", "verify with poses"}
    assert figures["speed"]["stages_ms"]["verify: verify"] > 0
