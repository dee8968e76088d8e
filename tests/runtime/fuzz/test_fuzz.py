"""Damaged files, 2,500 of them and the same ones for the same seed, by every way that reads files.

Each must end as what it was read for, or as a `PoseGenError` of one line that names it; a process
apart, with little memory and time, shows what crashes or hangs. Another seed, or more of them:

    POSEGEN_FUZZ_SEED=7 POSEGEN_FUZZ_TIMES=10 python -m pytest tests/runtime/fuzz -q
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fuzzing import originals
from fuzzing.mutation import mutate

SEED = int(os.environ.get("POSEGEN_FUZZ_SEED", "0"))
TIMES = int(os.environ.get("POSEGEN_FUZZ_TIMES", "1"))
SECONDS = 170
"""For one kind."""


def run(*command: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        errors="backslashreplace",
        env=environment,
        timeout=SECONDS * TIMES,
        check=False,
    )


def lines_of(kind: str, count: int, folder: Path) -> list[str]:
    """What came of each file, after checking that the process came to its end."""
    done = run("-m", "fuzzing.work", kind, SEED, count, folder)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"seed {SEED}: ended at {lines[-1:]}: {done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr
    assert [line.split(" ")[0] for line in lines] == [str(number) for number in range(count)]
    return lines


@pytest.mark.parametrize(("kind", "count"), [("images", 2000), ("poses", 250), ("bundles", 250)])
def test_every_damaged_file_is_read_or_refused_by_name(
    kind: str, count: int, tmp_path: Path
) -> None:
    lines = lines_of(kind, count * TIMES, tmp_path)
    words = Counter(line.split(" ")[2].rstrip(":") for line in lines)
    faults = [line for line in lines if line.split(" ")[2] == "FAULT:"]
    assert not faults, f"seed {SEED}, {kind}: {len(faults)} faults, such as {faults[:3]}"
    assert set(words) == {"read", "refused"}
    # Damage that is always noticed at once would try nothing.
    assert words["read"] > count * TIMES / 20


def test_a_run_over_damaged_masks_and_photos_loses_no_row(tmp_path: Path) -> None:
    rng = random.Random(f"run {SEED}")
    whole = originals.images()
    for folder, count in (("masks", 150), ("photos", 30)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            suffix = rng.choice(("png", "jpg", "tiff", "webp", "bmp"))
            data = mutate(rng.choice(whole), whole, rng)
            (tmp_path / folder / f"{number}.{suffix}").write_bytes(data)
        originals.mask(tmp_path / folder / "good.png")
        originals.mask(tmp_path / folder / "0 good.png")
    bundle = originals.bundle(tmp_path / "bundle")
    options = {
        "--masks": tmp_path / "masks",
        "--appearance": tmp_path / "photos",
        "--background": tmp_path / "photos",
        "--bundle": bundle,
        "--out": tmp_path / "out",
        "--mask-values": "half",
        "--lanes": 2,
    }
    done = run("-m", "posegen_runtime.cli", *(word for pair in options.items() for word in pair))
    assert done.returncode == 1, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    manifest = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    rows = Counter(json.loads(line)["mask"] for line in manifest)
    assert rows.keys() == {file.name for file in (tmp_path / "masks").iterdir()}
    assert set(rows.values()) == {1}
    for row in map(json.loads, manifest):
        assert (
            (tmp_path / "out" / row["image"]).is_file() if row["state"] == "done" else row["reason"]
        )
