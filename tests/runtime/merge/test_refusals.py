"""What cannot be merged, in words."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from plain_files import write_outputs
from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import Identity, ImageResult, JobResult, Ledger, OutputLock, State
from posegen_runtime.merge import merge
from sharded_run import FILES, STEMS, Make, identity, tree


def refused(parts: list[Path], out: Path, reason: str) -> None:
    """The merge is refused in one line that begins with `reason`, and makes no `out`."""
    before = tree(out) if out.exists() else None
    with pytest.raises(PoseGenError) as error:
        merge(parts, out, write_outputs)
    assert str(error.value).startswith(reason)
    assert "\n" not in str(error.value)
    assert (tree(out) if out.exists() else None) == before


def test_what_is_no_output(tmp_path: Path, parts: list[Path]) -> None:
    (tmp_path / "empty").mkdir()
    refused(
        [*parts, tmp_path / "empty"],
        tmp_path / "out",
        f"{tmp_path / 'empty' / 'ledger.sqlite'}: there is none; name the --out of a run",
    )
    assert os.listdir(tmp_path / "empty") == []


def test_an_output_without_shards(tmp_path: Path, parts: list[Path], whole: Path) -> None:
    refused([whole], tmp_path / "out", f"{whole}: was not made with --shard")
    refused([*parts[:2], whole], tmp_path / "out", f"{whole}: was not made with --shard")


def test_no_shard_at_all(tmp_path: Path) -> None:
    refused([], tmp_path / "out", "--merge: names no output")


def test_shards_of_another_count(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    other = make("2/4")
    reason = f"{other}: is --shard 2/4, and {parts[0]} is --shard 1/3; merge shards of one run"
    refused([parts[0], other, parts[2]], tmp_path / "out", reason)


def test_a_shard_named_twice(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    again = make("2/3", name="again")
    refused([*parts, again], tmp_path / "out", f"{again}: is --shard 2/3, as {parts[1]} is")
    link = tmp_path / "link"
    link.symlink_to(parts[0])
    refused([*parts, link], tmp_path / "out", f"{link}: is named twice; name each shard once")


def test_missing_shards(tmp_path: Path, parts: list[Path]) -> None:
    reason = "--merge: lacks --shard 1/3, 3/3; name the outputs of all 3"
    refused([parts[1]], tmp_path / "out", reason)


def test_shards_of_another_command(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    other = make("2/3", name="other", seed=1)
    refused(
        [parts[0], other, parts[2]],
        tmp_path / "out",
        f'{other}: was made otherwise than {parts[0]}: --seed (0 there, 1 here), where "there" is',
    )


def test_shards_of_other_inputs(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    files = {"--masks": [*FILES["--masks"], ("zzz.png", "1:2")]}
    other = make("2/3", name="other", identity=Identity(values=identity("2/3").values, files=files))
    refused(
        [parts[0], other, parts[2]],
        tmp_path / "out",
        f"{other}: was made otherwise than {parts[0]}: --masks: 1 file more, such as zzz.png",
    )


def test_shards_that_do_not_add_up(tmp_path: Path, parts: list[Path]) -> None:
    other = tmp_path / "other"
    with Ledger.open(other, write=True) as ledger:
        ledger.set_identity(identity("3/3"))
        ledger.plan([], 0)
    refused(
        [*parts[:2], other],
        tmp_path / "out",
        f"{parts[0]}: has 4 of 7 jobs, and --shard 1/3 would have 3",
    )


def test_shards_that_are_not_finished(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    first = make("1/3", name="first", stop_after=1)
    second = make("2/3", name="second", stop_after=0)
    refused(
        [first, second, parts[2]],
        tmp_path / "out",
        f"--merge: not finished: {first} (3 to make), {second} (3 to make); run the command of",
    )


def test_a_shard_that_was_stopped_before_it_had_jobs(tmp_path: Path, parts: list[Path]) -> None:
    other = tmp_path / "other"
    with Ledger.open(other, write=True) as ledger:
        ledger.set_identity(identity("3/3"))
    refused([*parts[:2], other], tmp_path / "out", f"{other}: was stopped before it had jobs")


def test_a_shard_that_is_being_written(tmp_path: Path, parts: list[Path]) -> None:
    code = (
        "import sys; from pathlib import Path; from posegen_runtime.ledger import OutputLock\n"
        "with OutputLock(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, parts[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        refused(parts, tmp_path / "out", f"{parts[1]}: another run works on it")
        other.communicate()
    merge(parts, tmp_path / "out", write_outputs)


def test_shards_are_free_again_after_a_merge(tmp_path: Path, parts: list[Path]) -> None:
    merge(parts, tmp_path / "out", write_outputs)
    for path in (*parts, tmp_path / "out"):
        with OutputLock(path):
            pass


def test_an_out_that_holds_anything_else(tmp_path: Path, parts: list[Path], whole: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").touch()
    held = f"--out {tmp_path / 'notes'}: is not empty (it holds mine.txt); name a new directory"
    refused(parts, tmp_path / "notes", held)
    assert os.listdir(tmp_path / "notes") == ["mine.txt"]
    with Ledger.open(tmp_path / "notes", write=True):
        pass
    refused(parts, tmp_path / "notes", held)


def test_an_out_of_another_run(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    for out in (make(None, name="seed 1", seed=1), make(None, name="stopped", stop_after=4)):
        refused(parts, out, f"--out {out}: holds the output of another run or merge")


def test_an_out_of_another_merge(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    others = [make(f"{number}/2", seed=1) for number in (1, 2)]
    merge(others, tmp_path / "out", write_outputs)
    refused(parts, tmp_path / "out", f"--out {tmp_path / 'out'}: holds the output of another run")


@pytest.mark.parametrize("place", ["part 1 of 3", "part 1 of 3/merged", "."])
def test_an_out_among_the_shards(tmp_path: Path, parts: list[Path], place: str) -> None:
    out = tmp_path / place
    refused(parts, out, f"--out {out}: lies inside the shard {parts[0]}, or the other way round")


def test_a_ledger_that_names_files_elsewhere(tmp_path: Path, make: Make, parts: list[Path]) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    for name in ("../secret.png", str(secret), "images/../../secret.png", "secret.png"):
        evil = make("1/3", name=f"evil {re.sub(r'[^a-z]', '', name)}")
        (evil / "secret.png").write_bytes(b"secret")
        with Ledger.open(evil, write=True) as ledger:
            image = ImageResult(state=State.DONE, image=name, finished=1.0)
            ledger.finish([JobResult(0, [image])])
        with pytest.raises(PoseGenError, match="which no run writes"):
            merge([evil, *parts[1:]], tmp_path / f"out of {evil.name}", write_outputs)


def test_planned_jobs_of_shards_are_those_of_the_run(parts: list[Path]) -> None:
    stems = []
    for part in parts:
        with Ledger.open(part, write=False) as ledger:
            stems.append(list(dict.fromkeys(row.stem for row in ledger.rows())))
    assert [stems[number % 3][number // 3] for number in range(10)] == STEMS
