"""The data loader's benchmark measures every number of workers it was asked for."""

import re
import subprocess
import sys
from pathlib import Path

from tiny_bundle import write_tiny_bundle

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "data_loader.py"


def test_rates_with_and_without_workers(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle")
    tried = [f"--workers={number}" for number in (0, 1)]
    command = [sys.executable, str(SCRIPT), str(bundle), "--images=64", "--rounds=1", *tried]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    rates = re.findall(r"^(\d) workers: ([\d.]+) images/s", done.stdout, re.MULTILINE)
    assert [number for number, _ in rates] == ["0", "1"]
    assert all(float(rate) > 0 for _, rate in rates)
