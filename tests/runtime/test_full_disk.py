"""A disk that fills: its own exit code, nothing half, and the same command goes on."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime.ledger import ledger as ledgers
from whole_runs import counts, outputs, posegen_run, record, write_masks

MASKS = 30
EXIT_DISK_FULL = 3
Fill = Callable[[Callable[[Path], bool], int], None]


@pytest.fixture
def command(tiny_bundle: Path, tmp_path: Path) -> tuple[object, ...]:
    masks = write_masks(tmp_path / "masks", MASKS)
    return ("--masks", masks, "--bundle", tiny_bundle, "--lanes", 2)


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Fill:
    """(which files, how many of them still fit): further ones get ENOSPC, at half their bytes."""
    whole = open

    def fill(hit: Callable[[Path], bool], fitting: int) -> None:
        left = fitting

        def full(path: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            nonlocal left
            if "w" in mode and hit(Path(path)):
                left -= 1
                if left < 0:
                    with whole(path, "wb") as file:
                        file.write(b"half")
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return whole(path, mode, *arguments, **named)

        monkeypatch.setattr("builtins.open", full)
        monkeypatch.setattr(Path, "open", full)

    return fill


@pytest.mark.parametrize("folder", ["images", "masks", "labels"])
def test_while_images_are_written(
    command: tuple[object, ...],
    tmp_path: Path,
    folder: str,
    fill: Fill,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert posegen_run(*command, "--out", tmp_path / "undisturbed") == 0
    fill(lambda path: folder in path.relative_to(tmp_path).parts, 10)
    assert posegen_run(*command, "--out", out) == EXIT_DISK_FULL
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "No space left on device" in line
    assert folder in line
    state = counts(out)
    assert state.planned == MASKS == state.done + state.pending
    assert state.pending > 0
    assert record(out)["state"] == "stopped"
    assert f"error: {record(out)['warnings'][0]}" == line
    assert not list((out / "images").rglob("*.part"))
    monkeypatch.undo()
    assert posegen_run(*command, "--out", out) == 0
    assert outputs(out) == outputs(tmp_path / "undisturbed")


@pytest.mark.parametrize("name", [".manifest.jsonl.part", "train.txt", "instances.json"])
def test_while_labels_and_manifest_are_written(
    command: tuple[object, ...],
    tmp_path: Path,
    name: str,
    fill: Fill,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert posegen_run(*command, "--out", tmp_path / "undisturbed") == 0
    fill(lambda path: name in path.name, 0)
    assert posegen_run(*command, "--out", out) == EXIT_DISK_FULL
    assert f"error: {out}: cannot be written (No space left" in capsys.readouterr().err
    assert counts(out).done == MASKS
    assert not (out / "manifest.jsonl").exists()
    monkeypatch.undo()
    assert posegen_run(*command, "--out", out) == 0
    assert outputs(out) == outputs(tmp_path / "undisturbed")
    assert [session["made"] for session in record(out)["sessions"]] == [MASKS, 0]


def test_while_the_ledger_is_written(
    command: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert posegen_run(*command, "--out", tmp_path / "undisturbed") == 0

    import sqlite3

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(ledgers, "_values", full)
        assert posegen_run(*command, "--out", out) == EXIT_DISK_FULL
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    assert f"error: {out / 'ledger.sqlite'}: the disk is full; free space and run" in errors
    assert counts(out).pending == MASKS
    assert posegen_run(*command, "--out", out) == 0
    assert outputs(out) == outputs(tmp_path / "undisturbed")


def test_from_the_start(
    command: tuple[object, ...],
    tmp_path: Path,
    fill: Fill,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not even run.json can be written."""
    out = tmp_path / "out"
    fill(lambda path: out in path.parents, 0)
    assert posegen_run(*command, "--out", out) == EXIT_DISK_FULL
    assert "run.json: cannot be written (No space left" in capsys.readouterr().err
    monkeypatch.undo()
    assert posegen_run(*command, "--out", out) == 0
    assert counts(out).done == MASKS


def test_the_report_alone(
    command: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Everything else is there and says so."""
    from posegen_runtime.report import write as reports

    def full(path: Path, *_: object, **__: object) -> None:
        from posegen_runtime.errors import PoseGenError

        cause = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise PoseGenError(f"{path}: cannot be written ({cause.strerror})") from cause

    monkeypatch.setattr(reports, "write_atomic", full)
    assert posegen_run(*command, "--out", tmp_path / "out") == EXIT_DISK_FULL
    assert "report.html: cannot be written" in capsys.readouterr().err
    assert counts(tmp_path / "out").done == MASKS
    assert (tmp_path / "out/manifest.jsonl").exists()
