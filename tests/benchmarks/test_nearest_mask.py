import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks/nearest_mask.py"


def test_it_prints_what_the_search_took() -> None:
    arguments = ["--wanted", "5", "--training", "20", "--size", "32", "--threads", "1"]
    command = [sys.executable, str(BENCHMARK), *arguments]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.startswith("5 x 20 masks of 32 px on 1 threads: ")
    assert "mean IoU 0." in printed
