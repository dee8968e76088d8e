"""Runs `posegen-run` in a process of its own for other benchmarks, and says what it needed.

    python benchmarks/run_command.py USAGE_FILE --masks DIR --out DIR …

That is the command itself, which writes `Usage` to the file as it ends.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import ImageRow, Ledger, State


class Usage(msgspec.Struct):
    """Of one whole command. Seconds of the processor are those in the program and the kernel."""

    begun: float
    """Unix time before the process was started."""
    seconds: float
    cpu: float
    """Of the main process; what starting Python costs included."""
    workers_cpu: float
    """Of the processes that it started."""


def new_output(folder: Path) -> Path:
    """An empty folder below `folder`, for one run.

    What a timed run wrote stays until all are over: for a minute after many files were deleted,
    ext4 looks through their inodes with each file that it makes.
    """
    return Path(tempfile.mkdtemp(prefix="run-", dir=folder))


def run_command(out: Path, arguments: Sequence[str], cores: set[int] | None = None) -> Usage:
    """Run `posegen-run --out OUT ARGUMENTS`, on these cores only. Raises `PoseGenError` where it
    fails."""
    file = out.with_name(f"{out.name}.usage.json")
    command = [sys.executable, __file__, str(file), "--out", str(out), *arguments]
    begun = time.time()
    held = os.sched_getaffinity(0)
    if cores:
        os.sched_setaffinity(0, cores)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    finally:
        os.sched_setaffinity(0, held)
    output = process.communicate()[0]
    if process.returncode:
        raise PoseGenError(
            f"{' '.join(command)} ended with {process.returncode}: {output.decode()}"
        )
    used = json.loads(file.read_text())
    file.unlink()
    return Usage(begun=begun, seconds=time.time() - begun, **used)


def done_images(out: Path) -> list[ImageRow]:
    """What a run made, by the time at which each image stood on the disk. Raises
    `PoseGenError` where any is missing."""
    with Ledger.open(out, write=False) as ledger:
        rows = [row for row in ledger.rows() if row.state is State.DONE]
        missing = ledger.counts().planned - len(rows)
    if missing or not rows:
        raise PoseGenError(f"{out}: {missing} images were not made")
    return sorted(rows, key=finished)


def finished(row: ImageRow) -> float:
    """Unix time."""
    assert row.finished is not None
    return row.finished


def steady_rate(rows: Sequence[ImageRow], skipped: float = 0.1) -> float:
    """Images a second between the first ones, a share of `skipped` that fills caches and queues,
    and the last."""
    first = max(1, round(len(rows) * skipped))
    return (len(rows) - first) / (finished(rows[-1]) - finished(rows[first - 1]))


def _main() -> int:
    from posegen_runtime.cli import app
    from posegen_runtime.console import run_app

    code = run_app(app, sys.argv[2:])
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    used = {"cpu": own.ru_utime + own.ru_stime, "workers_cpu": others.ru_utime + others.ru_stime}
    Path(sys.argv[1]).write_text(json.dumps(used))
    return code


if __name__ == "__main__":
    sys.exit(_main())
