"""The ledger's benchmark, on few jobs."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "ledger.py"


def test_it_prints_each_figure(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--jobs", "300", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # So few jobs may miss a bound that grows with them.
    assert done.returncode in (0, 1), done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        *("plan", "finish", "counts", "rows", "reasons", "reopen", "file", "peak", "peak")
    ]
    assert list(tmp_path.iterdir()) == []
