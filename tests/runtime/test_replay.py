"""`--replay`: the same run again, beside the images of the first."""

import json
import shutil
from pathlib import Path

import pytest

from posegen_runtime.run import run
from whole_runs import posegen_run, write_masks


@pytest.fixture
def first(tiny_bundle: Path, tmp_path: Path) -> Path:
    masks = write_masks(tmp_path / "masks", 5)
    out = tmp_path / "first"
    assert posegen_run("--masks", masks, "--bundle", tiny_bundle, "--out", out, "--seed", 3) == 0
    return out


def verdicts(out: Path) -> dict[str, int]:
    return json.loads((out / "replay.json").read_text())["counts"]


def test_the_same_machine_gives_the_same_bytes(first: Path, tmp_path: Path) -> None:
    assert posegen_run("--replay", first / "run.json", "--out", tmp_path / "again") == 0
    assert verdicts(tmp_path / "again") == {
        "identical": 5,
        "within the gates": 0,
        "different": 0,
        "missing": 0,
    }


def test_another_backend_is_held_to_the_gates(first: Path, tmp_path: Path) -> None:
    command = ("--replay", first, "--out", tmp_path / "again", "--precision", "fp32")
    assert posegen_run(*command, "--backend", "null") == 1
    assert verdicts(tmp_path / "again")["different"] == 5


def test_what_is_gone_or_was_changed_is_told(first: Path, tmp_path: Path) -> None:
    images = sorted((first / "images").iterdir())
    images[0].unlink()
    shutil.copy(images[2], images[1])
    assert posegen_run("--replay", first / "run.json", "--out", tmp_path / "again") == 1
    found = verdicts(tmp_path / "again")
    assert (found["identical"], found["different"], found["missing"]) == (3, 1, 1)


@pytest.mark.parametrize("out", ["first", "first/inner"])
def test_it_is_not_compared_with_itself(
    first: Path, tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert posegen_run("--replay", first / "run.json", "--out", tmp_path / out) == 2
    assert "lies inside the run to repeat" in capsys.readouterr().err


def test_an_interrupted_replay_compares_nothing(
    first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(options: object) -> object:
        outcome = run(options)  # type: ignore[arg-type]
        return type(outcome)(*[outcome.counts, 1, 0.1, True, None, None])

    monkeypatch.setattr("posegen_runtime.replay.run", interrupted)
    assert posegen_run("--replay", first / "run.json", "--out", tmp_path / "again") == 130
    assert not (tmp_path / "again" / "replay.json").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--seed", "4"), "--seed: --replay does not take it"),
        (("--bundle", "nowhere"), "nowhere"),
        (("--merge",), "--replay: --merge does not take it"),
    ],
)
def test_bad_usage(
    first: Path,
    tmp_path: Path,
    more: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert posegen_run("--replay", first / "run.json", "--out", tmp_path / "x", *more) == 2
    assert words in capsys.readouterr().err


def test_another_bundle_is_refused(
    first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads((first / "run.json").read_text())
    told["bundle"]["sha256"] = "0" * 64
    (first / "run.json").write_text(json.dumps(told))
    assert posegen_run("--replay", first / "run.json", "--out", tmp_path / "x") == 2
    assert "is another one" in capsys.readouterr().err
