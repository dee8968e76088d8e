"""SIGKILL at random moments: nothing half, nothing lost, nothing twice, and the same end."""

import random
import subprocess
import time
from itertools import count
from pathlib import Path

import pytest

from bulk_runs import (
    JOBS,
    arguments,
    counts_of,
    done_rows,
    final_names,
    is_whole,
    outputs,
    run,
    write_inputs,
)
from posegen_runtime.committing import MOST
from posegen_runtime.ledger.database import LEDGER
from posegen_runtime.pipeline import AHEAD, whole_group
from posegen_runtime.shape import available_cores

KILLS = 50
IN_FLIGHT = MOST + AHEAD * (available_cores() + 1) * whole_group(4)
"""Waiting for the ledger, and in the lanes of the largest shape that is tried."""


@pytest.mark.slow
def test_fifty_kills_and_the_same_end(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    write_inputs(inputs)
    start = time.monotonic()
    undisturbed = run(inputs, tmp_path / "undisturbed")
    whole = time.monotonic() - start
    assert undisturbed.returncode == 0, undisturbed.stderr
    expected = outputs(tmp_path / "undisturbed")
    assert sum(name.startswith("images/") for name in expected) == JOBS

    moments = random.Random(1)
    kills, midway = 0, 0
    for attempt in count():
        out = tmp_path / f"out{attempt}"
        before: dict[str, int] = {}
        while kills < KILLS:
            process = subprocess.Popen(
                arguments(inputs, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                process.wait(moments.uniform(0.05, 0.4) * whole)
            except subprocess.TimeoutExpired:
                kills += 1
            process.kill()
            process.wait()
            before = look_whole(out, expected, before)
            midway += 0 < len(before) < JOBS
            if process.returncode == 0:
                break
        ended = run(inputs, out)
        assert ended.returncode == 0, ended.stderr
        assert outputs(out) == expected
        assert counts_of(out).done == JOBS
        assert not list(out.rglob("*.part"))
        if kills >= KILLS:
            break
    assert midway >= KILLS // 5  # else the moments say little


def look_whole(out: Path, expected: dict[str, bytes], before: dict[str, int]) -> dict[str, int]:
    """After a kill; `before` and the result are done images with their files' inodes."""
    if not (out / LEDGER).exists():  # killed before there was anything to lose
        assert not final_names(out)
        return {}
    counts = counts_of(out)
    assert counts.planned == counts.done + counts.rejected + counts.failed + counts.pending
    assert counts.planned in (0, JOBS)  # 0: killed before the plan was begun
    rows = done_rows(out)
    names = [row.image for row in rows]
    assert len(set(names)) == len(names) == counts.done
    done = {name: (out / name).stat().st_ino for name in names}
    assert before.items() <= done.items()  # what was done was not made again
    for file in final_names(out):
        assert is_whole(file)
        assert file.read_bytes() == expected[file.relative_to(out).as_posix()]
    made = {f.relative_to(out).as_posix() for f in final_names(out) if f.parts[-2] == "images"}
    assert set(names) <= made
    assert len(made) - len(names) <= IN_FLIGHT
    return done
