"""Merging webdataset shards: tars numbered anew, and a ledger that names them."""

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from killing import was_killed
from ledger_jobs import rows_of
from plain_files import write_outputs
from posegen_runtime.choices import ImageFormat
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import encode_image
from posegen_runtime.ledger import Counts, Ledger
from posegen_runtime.merge import merge
from posegen_runtime.sinks.shard_reader import ShardReader
from posegen_runtime.sinks.webdataset import SampleWriter, WebDatasetSink
from sharded_run import Make, identity, tree
from small_runs import image_of, jobs_of


def sink(out: Path) -> WebDatasetSink:
    """Two jobs a tar."""
    return WebDatasetSink(out, SampleWriter(out=out, format=ImageFormat.PNG, jobs=2))


@pytest.fixture
def make_tars(make: Make) -> Callable[..., Path]:
    return lambda shard, **options: make(shard, sink=sink, **options)


@pytest.fixture
def tar_parts(make_tars: Callable[..., Path]) -> list[Path]:
    return [make_tars(f"{number}/3") for number in (1, 2, 3)]


def statistics(out: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((out / "shards").glob("*.json"))]


def test_tars_are_linked_in_one_sequence(tmp_path: Path, tar_parts: list[Path]) -> None:
    out = tmp_path / "out"
    counts = merge(tar_parts, out, write_outputs)
    assert counts == Counts(planned=14, done=13, rejected=0, failed=1, pending=0)
    # Of jobs 0 to 9, part 1 has 0 3 6 9 and parts 2 and 3 three each, so two tars each.
    assert [file.name for file in sorted((out / "shards").glob("*.tar"))] == [
        f"shard-00000{number}.tar" for number in range(6)
    ]
    for number in range(6):
        original = tar_parts[number % 3] / "shards" / f"shard-00000{number // 3}.tar"
        assert (out / "shards" / f"shard-00000{number}.tar").samefile(original)
    assert [(s["first_job"], s["last_job"], s["job_step"]) for s in statistics(out)] == [
        (0, 3, 3),
        (1, 4, 3),
        (2, 5, 3),
        (6, 9, 3),
        (7, 7, 3),
        (8, 8, 3),
    ]


def test_the_ledger_names_what_the_tars_hold(tmp_path: Path, tar_parts: list[Path]) -> None:
    out = tmp_path / "out"
    merge(tar_parts, out, write_outputs)
    read, alone = ShardReader(out), [ShardReader(part) for part in tar_parts]
    rows = rows_of(out)
    by_part = [iter(rows_of(part)) for part in tar_parts]
    named = []
    for row in rows:
        original = next(by_part[row.job % 3])
        assert original.mask == row.mask
        for name in ("image", "mask_file"):
            path = getattr(row, name)
            if path:
                named.append(path)
                before = alone[row.job % 3](getattr(original, name))
                assert read(path) == before
    held = []
    for tar in (out / "shards").glob("*.tar"):
        with tarfile.open(tar) as file:
            held += [f"shards/{tar.name}/{name}" for name in file.getnames()]
    assert sorted(named) == sorted(name for name in held if not name.endswith(".json"))


def test_a_part_without_any_image_merges_too(
    tmp_path: Path, make_tars: Callable[..., Path]
) -> None:
    parts = [make_tars("1/2"), make_tars("2/2", fails=lambda job: True)]
    counts = merge(parts, tmp_path / "out", write_outputs)
    assert (counts.failed, counts.pending) == (5, 0)
    assert [s["tar"] for s in statistics(tmp_path / "out")] == [
        "shard-000000.tar",
        None,
        "shard-000002.tar",
        None,
        "shard-000004.tar",
        None,
    ]


def test_merging_again_changes_nothing_but_what_was_retried(
    tmp_path: Path, tar_parts: list[Path], make_tars: Callable[..., Path]
) -> None:
    out = tmp_path / "out"
    merge(tar_parts, out, write_outputs)
    before = {path: path.stat().st_mtime_ns for path in (out / "shards").glob("*.tar")}
    assert merge(tar_parts, out, write_outputs).failed == 1
    assert {path: path.stat().st_mtime_ns for path in (out / "shards").glob("*.tar")} == before
    make_tars("3/3", fails=lambda job: False, retry_failed=True)
    assert merge(tar_parts, out, write_outputs).failed == 0
    (job,) = jobs_of(["f"])
    (row,) = [row for row in rows_of(out) if row.mask == "f.png"]
    assert row.image == "shards/shard-000002.tar/f.png"
    assert ShardReader(out)(row.image) == encode_image(image_of(job), ImageFormat.PNG)


def test_a_merge_that_is_killed_anywhere_goes_on(tmp_path: Path, tar_parts: list[Path]) -> None:
    whole = tmp_path / "whole"
    merge(tar_parts, whole, write_outputs)
    calls = [(os, "link"), (os, "replace"), *((Ledger, n) for n in ("set_identity", "finish"))]
    killed = 0
    for moment in range(0, 48, 3):
        out = tmp_path / f"out {moment}"
        killed += was_killed(lambda out=out: merge(tar_parts, out, write_outputs), moment, calls)
        merge(tar_parts, out, write_outputs)
        assert tree(out) == tree(whole), moment
        assert [row.image for row in rows_of(out)] == [row.image for row in rows_of(whole)]
    assert killed > 8


def test_no_run_goes_on_with_renumbered_tars(tmp_path: Path, tar_parts: list[Path]) -> None:
    merge(tar_parts, tmp_path / "out", write_outputs)
    with Ledger.open(tmp_path / "out", write=False) as ledger:
        assert ledger.changed(identity(None)) == ["--merge (3 there, none here)"]


def test_a_tar_that_was_cut_off_on_its_way_is_refused(
    tmp_path: Path, tar_parts: list[Path]
) -> None:
    tar = tar_parts[1] / "shards" / "shard-000000.tar"
    tar.write_bytes(tar.read_bytes()[:5000])
    with pytest.raises(PoseGenError, match=r"shard-000000\.tar: has 5000 bytes and not \d+; copy"):
        merge(tar_parts, tmp_path / "out", write_outputs)


@pytest.mark.parametrize("content", [b"", b"{", b'{"tar": 3}'])
def test_damaged_statistics_are_refused(
    tmp_path: Path, tar_parts: list[Path], content: bytes
) -> None:
    (tar_parts[2] / "shards" / "shard-000001.json").write_bytes(content)
    with pytest.raises(PoseGenError, match=r"shard-000001\.json: are no statistics of a shard"):
        merge(tar_parts, tmp_path / "out", write_outputs)


def test_a_missing_tar_is_named(tmp_path: Path, tar_parts: list[Path]) -> None:
    (tar_parts[0] / "shards" / "shard-000001.tar").unlink()
    with pytest.raises(PoseGenError, match=r"part 1 of 3/shards/shard-000001\.tar: is missing"):
        merge(tar_parts, tmp_path / "out", write_outputs)
