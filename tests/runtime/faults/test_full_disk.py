"""A disk that fills: exit code 3, nothing half, and with room again the same end."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulk_runs import JOBS, counts_of, done_rows, final_names, is_whole, outputs, run, write_inputs
from posegen_runtime.console import EXIT_DISK_FULL


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-o", "size=16m", "-t", "tmpfs", "tmpfs", str(disk)]
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("this user may not mount a tmpfs")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
def test_what_fits_stays_and_the_rest_follows(small_disk: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    write_inputs(inputs)
    out = small_disk / "out"
    full = run(inputs, out)
    assert full.returncode == EXIT_DISK_FULL, full.stderr
    lines = [line for line in full.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "Traceback" not in full.stderr
    counts = counts_of(out)
    assert counts.planned == JOBS
    assert counts.failed == 0  # a full disk is no fault of a mask
    assert 0 < counts.done < JOBS
    assert counts.done + counts.pending == JOBS
    assert all((out / row.image).exists() for row in done_rows(out))
    assert all(is_whole(file) for file in final_names(out))

    again = run(inputs, out)  # still full
    assert again.returncode == EXIT_DISK_FULL, again.stderr
    assert counts_of(out).planned == JOBS

    subprocess.run(["mount", "-o", "remount,size=256m", str(small_disk)], check=True)
    after = run(inputs, out)
    assert after.returncode == 0, after.stderr
    assert run(inputs, tmp_path / "undisturbed").returncode == 0
    assert outputs(out) == outputs(tmp_path / "undisturbed")
    assert not list(out.rglob("*.part"))
