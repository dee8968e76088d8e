"""The label files' benchmark, on few images."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "labels.py"


def test_it_prints_each_figure(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--images", "60", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # So few images may miss a bound that grows with them.
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("60 images, 66 objects, ")
    assert [line.split()[0] for line in lines[1:]] == ["wall", "processor", "peak"]
    assert list(tmp_path.iterdir()) == []
