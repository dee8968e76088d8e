"""From the command to the first image on disk, against what its dependencies cost anyway.

    python benchmarks/start_time.py [--rounds 15] [--json FILE]

The command is `posegen-run` on a few made-up masks with the shipped model. What it is held against
is a bare script that imports the same libraries and opens the two ONNX Runtime sessions that a run
uses. Both start as new processes and take turns; the time counts from before the process is
started. Both find their Python modules compiled, as after an
installation. Exit code 1 when the median of the ratios is above the bound.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from run_command import done_images, finished, run_command

from posegen_runtime.console import EXIT_SOME_FAILED, run_app
from posegen_runtime.generator import load_bundle

BOUND = 1.5
MASKS = 8
BARE = """
import sqlite3, time
from pathlib import Path
import cv2, filelock, msgspec, numpy, onnxruntime, pycocotools.mask, rich.console, typer
app = typer.Typer(add_completion=False)
@app.command()
def main(graphs: list[Path]):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for graph in graphs:
        onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    print(time.time())
app()
"""
"""A command, because Typer imports the larger half of what it needs when it reads one."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def bare_seconds(graphs: list[str]) -> float:
    """Until the libraries are there and the sessions open."""
    begun = time.time()
    command = [sys.executable, "-c", BARE, *graphs]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout) - begun


def command_seconds(folder: Path, number: int) -> float:
    """Until the first image stands under its final name."""
    out = folder / f"out{number}"
    used = run_command(out, ["--masks", str(folder / "made" / "masks"), "--backend", "cpu"])
    return finished(done_images(out)[0]) - used.begun


@app.command()
def main(
    rounds: Annotated[int, typer.Option(min=1, help="How often both take their turn.")] = 15,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
) -> None:
    """Time the start and hold it to its bound."""
    from posegen_export.synthetic import write_folders

    bundle = load_bundle()
    held = bundle.precision("fp32").graphs
    graphs = [str(bundle.path(held[name].path)) for name in ("conditions", "generator_cached")]
    bare, ours = [], []
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_folders(folder / "made", bundle.image_size[0], MASKS)
        # A first time of both fills the disk's cache and compiles modules.
        bare_seconds(graphs)
        command_seconds(folder, rounds)
        for number in range(rounds):
            bare.append(bare_seconds(graphs))
            ours.append(command_seconds(folder, number))
    ratio = statistics.median(b / a for a, b in zip(bare, ours, strict=True))
    print(f"imports and sessions  {statistics.median(bare):.3f} s")
    print(f"first image on disk   {statistics.median(ours):.3f} s")
    print(f"ratio                 {ratio:.3f}, at most {BOUND}")
    if json_file is not None:
        figures = {"bare_s": bare, "first_image_s": ours, "ratio": ratio, "bound": BOUND}
        json_file.write_text(json.dumps(figures, indent=2) + "\n")
    if ratio > BOUND:
        raise typer.Exit(EXIT_SOME_FAILED)


if __name__ == "__main__":
    sys.exit(run_app(app))
