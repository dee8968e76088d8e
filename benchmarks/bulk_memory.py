"""Peak memory of `posegen-run` by number of jobs: everything streams, so it hardly grows.

    python benchmarks/bulk_memory.py [--small 1000] [--large 50000] [--backend null --backend cpu]

Each run is a command of its own on the shipped model, over as many mask files: hard links to some
hundred made-up masks, each under a name of its own, as what is kept for each job is mostly names.
The peak resident memory of each process is watched from outside (Linux only); that of the main
process and of all its workers together are compared. Exit code 1 when either grows by more than
the bound.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from posegen_runtime.choices import BackendName
from posegen_runtime.console import EXIT_SOME_FAILED, run_app
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import SHIPPED_BUNDLE, load_bundle

BOUND = 1.1
"""Peak with many jobs against that with few."""
MADE = 200
"""Different masks."""
SHAPE = ("--lanes", "2", "--batch", "8")
"""The same in each: only a long run tries others, and more at once takes more memory."""
FOLDER = 1000
"""Masks in one folder."""
EVERY = 0.05
"""Seconds between two looks. A peak never falls, so only what a process gains after the last one
is missed."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def make_masks(root: Path, count: int) -> None:
    """`count` files below `root`/run, of which `MADE` differ."""
    from posegen_export.synthetic import write_folders

    write_folders(root / "made", load_bundle().image_size[0], min(MADE, count))
    made = sorted((root / "made" / "masks").iterdir())
    for number in range(count):
        folder = root / "run" / f"scene_{number // FOLDER:04}"
        if number % FOLDER == 0:
            folder.mkdir(parents=True)
        os.link(made[number % len(made)], folder / f"{number:08}.png")


def peaks(command: list[str]) -> tuple[float, float]:
    """MB that the command and, together, the processes that it started needed at most.

    Raises `PoseGenError` where it fails."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        highest: dict[int, int] = {}
        while process.poll() is None:
            for pid in [process.pid, *_descendants(process.pid)]:
                highest[pid] = max(highest.get(pid, 0), _peak(pid))
            time.sleep(EVERY)
        if process.returncode:
            output.seek(0)
            raise PoseGenError(f"{' '.join(command)} failed: {output.read().decode()}")
    main = highest.pop(process.pid)
    return main / 1024, sum(highest.values()) / 1024


def _descendants(pid: int) -> Iterator[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in _read(task / "children").split()]
    except OSError:  # it just ended
        return
    for child in children:
        yield child
        yield from _descendants(child)


def _peak(pid: int) -> int:
    """KB; 0 of a process that ended."""
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


@app.command()
def main(
    small: Annotated[int, typer.Option(min=1, help="Jobs of the short run.")] = 1000,
    large: Annotated[int, typer.Option(min=1, help="Jobs of the long run.")] = 50_000,
    backend: Annotated[
        list[BackendName] | None, typer.Option(help="Default: null and cpu.")
    ] = None,
    labels: Annotated[str, typer.Option(help="As for posegen-run.")] = "none",
    folder: Annotated[
        Path | None, typer.Option(help="Where to write: some GB where there are many jobs.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
) -> None:
    """Print the peaks in MB and hold them to the bound."""
    found = []
    for name in backend or [BackendName.NULL, BackendName.CPU]:
        by_count = {}
        for count in (small, large):
            with tempfile.TemporaryDirectory(dir=folder) as made:
                make_masks(Path(made), count)
                command = [sys.executable, "-m", "posegen_runtime.cli"]
                command += ["--masks", str(Path(made) / "run"), "--out", str(Path(made) / "out")]
                command += ["--bundle", str(SHIPPED_BUNDLE), "--backend", name.value]
                command += ["--format", "jpg", "--labels", labels, *SHAPE]
                by_count[count] = peaks(command)
        ratio = max(
            after / before
            for before, after in zip(by_count[small], by_count[large], strict=True)
            if before
        )
        found.append({"backend": name.value, "peaks_mb": by_count, "ratio": round(ratio, 3)})
        for count, (own, workers) in by_count.items():
            print(f"{name.value}: {count:7} jobs: peak {own:.0f} MB, its workers {workers:.0f} MB")
        each = 1e6 * (by_count[large][0] - by_count[small][0]) / max(1, large - small)
        print(f"{name.value}: ratio {ratio:.3f}, at most {BOUND}; {each:.0f} bytes a job")
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2) + "\n")
    if any(one["ratio"] > BOUND for one in found):
        raise typer.Exit(EXIT_SOME_FAILED)


if __name__ == "__main__":
    sys.exit(run_app(app))
