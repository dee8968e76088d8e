"""A merged output is the one that a run without shards writes."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from killing import was_killed
from ledger_jobs import rows_of
from plain_files import PlainSink, write_outputs
from posegen_runtime import links
from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import Counts, Ledger
from posegen_runtime.merge import merge
from sharded_run import STEMS, Make, identity, tree
from small_runs import jobs_of, run

CALLS = [
    (os, "link"),
    (os, "replace"),
    (shutil, "copyfile"),
    *((Ledger, name) for name in ("set_identity", "plan", "finish")),
]


def what_was_made(out: Path) -> list[tuple[object, ...]]:
    """The ledger's rows, but for when and how often."""
    skipped = ("finished", "timings", "attempts")
    return [
        tuple(getattr(row, name) for name in row.__struct_fields__ if name not in skipped)
        for row in rows_of(out)
    ]


def test_a_merged_output_is_that_of_one_run(tmp_path: Path, parts: list[Path], whole: Path) -> None:
    shown: list[tuple[int, int]] = []
    mixed = [parts[2], parts[0], parts[1]]
    counts = merge(mixed, tmp_path / "out", write_outputs, lambda *numbers: shown.append(numbers))
    assert tree(tmp_path / "out") == tree(whole)
    assert counts == Counts(planned=14, done=13, rejected=0, failed=1, pending=0)
    assert what_was_made(tmp_path / "out") == what_was_made(whole)
    assert shown == [(10, 10)]


def test_nothing_is_copied_on_one_disk(tmp_path: Path, parts: list[Path]) -> None:
    merge(parts, tmp_path / "out", write_outputs)
    for name in ("images/a.png", "masks/a.png", "labels/yolo/labels/a.txt"):
        assert (tmp_path / "out" / name).samefile(parts[0] / name)


def test_the_command_without_shard_goes_on_with_it(tmp_path: Path, parts: list[Path]) -> None:
    out = tmp_path / "out"
    merge(parts, out, write_outputs)
    with Ledger.open(out, write=True) as ledger:
        assert ledger.changed(identity(None)) == []
    done = run(out, PlainSink(out), jobs_of(STEMS), retry_failed=True)
    assert done == [STEMS.index("f")]


@pytest.mark.parametrize("count", [1, 2, 7, 13])
def test_any_number_of_shards_will_do(tmp_path: Path, make: Make, whole: Path, count: int) -> None:
    parts = [make(f"{number}/{count}") for number in range(1, count + 1)]
    merge(parts, tmp_path / "out", write_outputs)
    assert tree(tmp_path / "out") == tree(whole)


def test_a_disk_without_hard_links_gets_copies(
    tmp_path: Path, parts: list[Path], whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links.os, "link", refuse)
    merge(parts, tmp_path / "out", write_outputs)
    assert tree(tmp_path / "out") == tree(whole)
    assert not (tmp_path / "out/images/a.png").samefile(parts[0] / "images/a.png")


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_merge_that_is_killed_anywhere_goes_on(
    tmp_path: Path,
    parts: list[Path],
    whole: Path,
    monkeypatch: pytest.MonkeyPatch,
    hard_links: bool,
) -> None:
    monkeypatch.setattr("posegen_runtime.merge.merging.AT_ONCE", 3)
    monkeypatch.setattr("posegen_runtime.ledger.planning.CHUNK", 4)
    killed = 0
    for moment in range(0, 105, 3):
        out = tmp_path / f"out {moment}"
        with monkeypatch.context() as patched:
            if not hard_links:
                patched.setattr(links.os, "link", refuse)
            killed += was_killed(lambda out=out: merge(parts, out, write_outputs), moment, CALLS)
        merge(parts, out, write_outputs)
        assert tree(out) == tree(whole), moment
        assert what_was_made(out) == what_was_made(whole), moment
    assert killed > 25


def refuse(*args: object, **options: object) -> None:
    """What a hard link to another disk gives."""
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def test_a_retried_shard_is_taken_over(
    tmp_path: Path, make: Make, parts: list[Path], whole: Path
) -> None:
    out = tmp_path / "out"
    merge(parts, out, write_outputs)
    make("3/3", fails=lambda job: False, retry_failed=True)
    merge(parts, out, write_outputs)
    make(None, name="whole", fails=lambda job: False, retry_failed=True)
    with Ledger.open(whole, write=False) as ledger:
        write_outputs(whole, ledger)
    assert tree(out) == tree(whole)
    assert what_was_made(out) == what_was_made(whole)


def test_a_missing_file_is_named(tmp_path: Path, parts: list[Path]) -> None:
    (parts[1] / "masks/b.left.png").unlink()
    with pytest.raises(PoseGenError, match=r"part 2 of 3/masks/b\.left\.png: is missing"):
        merge(parts, tmp_path / "out", write_outputs)


def test_a_missing_label_is_named(tmp_path: Path, parts: list[Path]) -> None:
    (parts[0] / "labels/yolo/labels/a.txt").unlink()
    with pytest.raises(PoseGenError, match=r"labels/a\.txt: is missing"):
        merge(parts, tmp_path / "out", write_outputs)


def test_a_run_without_yolo_labels_merges_too(tmp_path: Path, parts: list[Path]) -> None:
    for part in parts:
        shutil.rmtree(part / "labels")
    merge(parts, tmp_path / "out", write_outputs)
    assert sorted(os.listdir(tmp_path / "out" / "labels")) == ["coco"]


def test_a_full_disk_is_told(
    tmp_path: Path, parts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(links.os, "link", full)
    monkeypatch.setattr(links.shutil, "copyfile", full)
    with pytest.raises(PoseGenError, match=r"images/a\.png: cannot be written \(No space") as error:
        merge(parts, tmp_path / "out", write_outputs)
    assert isinstance(error.value.__cause__, OSError)
    assert error.value.__cause__.errno == errno.ENOSPC
    monkeypatch.undo()
    merge(parts, tmp_path / "out", write_outputs)
    assert len(list((tmp_path / "out/images").rglob("*.p*"))) == 13
