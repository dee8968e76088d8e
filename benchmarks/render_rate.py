"""How fast `posegen data render` makes data sets.

    python benchmarks/render_rate.py [--json FILE]

Runs the command as a user does, into a temporary directory, start of the processes included: a
few seconds, so that far fewer samples than the default measure mostly that. On a machine that does
other things as well, compare the rate by CPU second. Exit code 1 when the rate by the clock is
below the bound.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

BOUND = 8.0
"""Samples a second by the clock, on two cores."""


def measure(samples: int, workers: int, image_size: int) -> dict[str, float]:
    """Seconds by the clock and of CPU, all processes together, and the samples in one of each.

    Raises `subprocess.CalledProcessError` when the command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "posegen.data.cli", "render"]
        command += ["--out", str(Path(folder) / "cars"), "--cars", str(min(samples, 8))]
        command += ["--samples", str(samples), "--workers", str(workers)]
        command += ["--image-size", str(image_size)]
        before, start = _cpu_of_children(), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall, cpu = time.perf_counter() - start, _cpu_of_children() - before
    return {
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "samples_per_second": samples / wall,
        "samples_per_cpu_second": samples / cpu,
    }


def _cpu_of_children() -> float:
    """Seconds that ended child processes, and theirs, have spent."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(
    samples: Annotated[int, typer.Option(min=1, help="Frames to render.")] = 256,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    image_size: Annotated[int, typer.Option(min=32, max=2048, help="Side in pixels.")] = 256,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
) -> None:
    """Time rendering and hold it to its bound."""
    try:
        figures = measure(samples, workers, image_size)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # the command has said why
    print(f"{samples} samples of {image_size}x{image_size}, {workers} workers, ", end="")
    print(f"{os.cpu_count()} CPUs")
    for name in ("wall", "cpu"):
        rate = figures["samples_per_second" if name == "wall" else "samples_per_cpu_second"]
        print(f"{name:6}{figures[f'{name}_seconds']:8.1f} s{rate:8.1f} samples/s")
    print(f"bound {BOUND:19.1f} samples/s by the clock")
    if json_file is not None:
        settings = {"samples": samples, "workers": workers, "image_size": image_size}
        json_file.write_text(json.dumps({**settings, **figures, "bound": BOUND}, indent=2) + "\n")
    if figures["samples_per_second"] < BOUND:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
