"""How fast the ledger is: planning, finishing, counting, reading, and looking for lost files.

    python benchmarks/ledger.py [--jobs 100000] [--folder DIR]

Each row carries what a real one does: a placement, 600 bytes of run lengths, timings. Seconds of
the wall clock count; those of the processor, printed beside them, say what a machine that does
other things as well would take alone. The jobs are made beforehand. Peak memory is measured at a
tenth of the jobs and at all of them, each in a process of its own. Exit code 1 when a bound, which
is for 100,000 jobs, is missed by the processor's seconds.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from posegen_runtime.jobs import Job
from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.ledger import ImageData, ImageResult, JobResult, Ledger, State
from posegen_runtime.resuming import reopen_missing
from posegen_runtime.sources import Source

BOUNDS = {"plan": 2.0, "finish": 3.0, "counts": 0.05}
"""Seconds, of which the first two grow with the number of jobs."""
BATCH = 64
DATA = ImageData(
    placement={
        "fit": "object",
        "source_size": (1080, 1920),
        "target_size": (256, 256),
        "window": (400, 700, 512, 512),
        "sx": 0.5,
        "sy": 0.5,
        "tx": -350.0,
        "ty": -200.0,
    },
    coco=CocoMask("0" * 600, (256, 256), 12345, (40.0, 90.0, 170.0, 80.0)),
)


def made_jobs(count: int) -> Iterator[Job]:
    """Jobs over as many masks, with one appearance and one background."""
    condition = Source(Path("/photos/street.jpg"), "street.jpg")
    for number in range(count):
        name = f"scene/{number:07}.png"
        mask = Source(Path("/masks") / name, name)
        yield Job(mask, name[:-4], 0, "", condition, condition)


def finish_all(ledger: Ledger) -> None:
    """End every pending job, in batches as a run does."""
    batch = []
    for job in ledger.pending():
        image = ImageResult(
            state=State.DONE,
            image=f"images/{job.stem}.png",
            mask_file=f"masks/{job.stem}.png",
            data=DATA,
            timings={"read": 0.001, "generate": 0.02, "write": 0.003},
            finished=1.7e9,
        )
        batch.append(JobResult(job.job, [image]))
        if len(batch) == BATCH:
            ledger.finish(batch)
            batch = []
    ledger.finish(batch)


def write_files(folder: Path, count: int) -> None:
    """The files that the rows name."""
    for top in ("images", "masks"):
        (folder / top / "scene").mkdir(parents=True)
        for number in range(count):
            (folder / top / f"scene/{number:07}.png").write_bytes(b"x")


def measure(count: int, folder: Path) -> dict[str, tuple[float, float]]:
    """Seconds on the wall clock and of the processor, by step."""
    times = {}

    def timed(name: str, step: Callable[[], object]) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        step()
        times[name] = time.perf_counter() - wall, time.process_time() - processor

    jobs = list(made_jobs(count))
    with Ledger.open(folder, write=True) as ledger:
        timed("plan", lambda: ledger.plan(jobs, count))
        timed("finish", lambda: finish_all(ledger))
        timed("counts", ledger.counts)
        timed("rows", lambda: sum(1 for _ in ledger.rows()))
        timed("reasons", ledger.reasons)
        write_files(folder, count)
        timed("reopen", lambda: reopen_missing(folder, ledger))
        if ledger.counts().done != count:
            raise AssertionError("no file is missing")
    return times


def peak_memory(count: int, folder: Path) -> float:
    """MB that a process needs at most to plan, finish and read `count` jobs, which it streams."""
    with Ledger.open(folder, write=True) as ledger:
        ledger.plan(made_jobs(count), count)
        finish_all(ledger)
        for _ in ledger.rows():
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(
    jobs: Annotated[int, typer.Option(min=10, help="How many jobs.")] = 100_000,
    folder: Annotated[
        Path | None, typer.Option(help="Where to write, such as the disk to judge.")
    ] = None,
    memory_only: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Time the ledger and hold it to its bounds."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        if memory_only:
            print(f"{peak_memory(jobs, Path(made)):.0f}")
            return
        times = measure(jobs, Path(made))
        size = sum(file.stat().st_size for file in Path(made).glob("ledger*")) / 1e6
    missed = False
    for name, (wall, processor) in times.items():
        line = f"{name:8}{wall:8.3f} s, processor {processor:.3f} s"
        if name in BOUNDS:
            bound = BOUNDS[name] * (1 if name == "counts" else jobs / 100_000)
            line += f", at most {bound:g} s"
            missed |= processor > bound
        print(line)
    print(f"file    {size:8.1f} MB")
    for count in (jobs // 10, jobs):
        command = [sys.executable, __file__, "--jobs", str(count), "--memory-only"]
        command += ["--folder", str(folder)] if folder else []
        peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        print(f"peak    {peak:>8} MB at {count} jobs")
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
