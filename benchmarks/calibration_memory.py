"""Peak memory of `posegen-export int8` by number of samples: batches stream, so it hardly grows.

    python benchmarks/calibration_memory.py BUNDLE --masks DIR [--appearance DIR] [--background DIR]

The whole command runs on a copy of the bundle: ranges, sensitivity, parity, speed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

COUNTS = (64, 512, 5000)


def main(
    bundle: Path,
    masks: Annotated[Path, typer.Option()],
    appearance: Annotated[Path | None, typer.Option()] = None,
    background: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Print the peak resident memory in MB for each of several numbers of samples."""
    folders = {"--masks": masks, "--appearance": appearance, "--background": background}
    given = [str(part) for pair in folders.items() if pair[1] is not None for part in pair]
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as made:
            copy = Path(made) / "bundle"
            shutil.copytree(bundle, copy)
            command = ["posegen-export", "int8", str(copy), *given, "--samples", str(count)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"posegen-export int8 ended with {os.waitstatus_to_exitcode(status)}")
        print(f"{count} samples: peak {usage.ru_maxrss / 1024:.0f} MB", flush=True)


if __name__ == "__main__":
    typer.run(main)
