"""What a run is measured by: each script at a tiny size, through its command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


def measure(script: str, json_file: Path, *options: str) -> Any:
    command = [sys.executable, str(SCRIPTS / script), *options, "--json", str(json_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # So small a size may miss a bound.
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout, done.stderr
    return json.loads(json_file.read_text())


def test_memory_of_each_run_is_compared(tmp_path: Path) -> None:
    given = ["--small", "4", "--large", "12", "--backend", "null", "--folder", str(tmp_path)]
    (found,) = measure("bulk_memory.py", tmp_path / "figures.json", *given)
    assert found["backend"] == "null"
    small, large = found["peaks_mb"]["4"][0], found["peaks_mb"]["12"][0]
    assert 20 < small < 2000
    assert found["ratio"] >= round(large / small, 3) - 0.001
    assert [file.name for file in tmp_path.iterdir()] == ["figures.json"]


def test_the_start_is_held_against_a_bare_one(tmp_path: Path) -> None:
    found = measure("start_time.py", tmp_path / "figures.json", "--rounds", "1")
    assert 0 < found["bare_s"][0] < found["first_image_s"][0]
    assert found["ratio"] == pytest.approx(found["first_image_s"][0] / found["bare_s"][0])


@pytest.mark.slow
def test_throughput_has_a_figure_for_each_case(tmp_path: Path) -> None:
    size = ["--images", "16", "--null-images", "32", "--rounds", "1"]
    (found,) = measure("throughput.py", tmp_path / "figures.json", "--made", "tiny", *size)
    assert [case["case"] for case in found["cases"]] == [
        f"{kind}, {background}"
        for kind in ("JPG", "PNG")
        for background in ("one background", "another background each")
    ]
    for case in found["cases"]:
        assert case["of_limit"] == pytest.approx(case["run"] / case["limit"], abs=0.002)
        assert case["of_eager"] > 0
    assert {"JPG, 1 core", "PNG, 1 core"} <= set(found["null"])
