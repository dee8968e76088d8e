"""`--status`, and one run at a time in one directory."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tiny_bundle import SIZE, example_mask
from whole_runs import counts, images_there, outputs, posegen_run, start, wait_for, write_masks

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def running(tiny_bundle: Path, tmp_path: Path) -> Iterator[tuple[Path, tuple[object, ...]]]:
    """The output of a run in another process, and its command."""
    masks, out = write_masks(tmp_path / "masks", 400), tmp_path / "out"
    command = ("--masks", masks, "--out", out, "--bundle", tiny_bundle, "--lanes", 1)
    process = start(*command, seconds=0.01)
    wait_for(lambda: images_there(out) > 3 and counts(out).done > 0, process)
    yield out, command
    assert process.poll() is None
    process.terminate()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr


def test_while_another_process_runs(
    running: tuple[Path, tuple[object, ...]], capsys: Capture
) -> None:
    out, _ = running
    seen = []
    for _ in range(3):
        assert posegen_run("--status", "--out", out) == 0
        line = capsys.readouterr().out.strip()
        place, _, sums = line.partition(": ")
        assert place == str(out)
        planned, _, states = sums.partition(" planned = ")
        parts = [int(part.split()[0]) for part in states.split(" + ")]
        assert [part.split()[1] for part in states.split(" + ")] == [
            "done",
            "rejected",
            "failed",
            "pending",
        ]
        assert int(planned) == 400 == sum(parts)
        assert parts[0] > 0
        seen.append(parts[0])
    assert seen == sorted(seen)


@pytest.mark.parametrize("extra", [(), ("--fresh",), ("--seed", 1), ("--retry-failed",)])
def test_a_second_run_in_the_same_place_is_refused(
    running: tuple[Path, tuple[object, ...]], extra: tuple[object, ...], capsys: Capture
) -> None:
    out, command = running
    before = images_there(out)
    assert posegen_run(*command, *extra) == 2
    assert f"error: {out}: another run works on it" in capsys.readouterr().err
    assert images_there(out) >= before


def test_reasons_are_grouped_and_shown_as_they_are(
    tiny_bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    masks, out = write_masks(tmp_path / "masks", 3), tmp_path / "out"
    for name in ("x", "y", "[red]z"):
        cv2.imwrite(str(masks / f"{name}.png"), np.zeros((SIZE, SIZE), np.uint8))
    (masks / "[bold]broken.png").write_text("no image")
    assert posegen_run("--masks", masks, "--out", out, "--bundle", tiny_bundle) == 1
    capsys.readouterr()
    before = outputs(out)
    assert posegen_run("--status", "--out", out) == 0
    shown = capsys.readouterr().out
    assert "7 planned = 3 done + 0 rejected + 4 failed + 0 pending" in shown
    _, first, second = (line.split() for line in shown.splitlines() if "failed" in line)
    assert [first[index] for index in (1, 3)] == ["failed", "3"]
    assert [second[index] for index in (1, 3)] == ["failed", "1"]
    assert "[red]z.png" in shown
    assert "[bold]broken.png" in shown
    assert outputs(out) == before


def test_there_is_nothing_to_tell_of(tmp_path: Path, capsys: Capture) -> None:
    assert posegen_run("--status", "--out", tmp_path) == 2
    assert capsys.readouterr().err.endswith(
        "ledger.sqlite: there is none; name the --out of a run\n"
    )
    assert posegen_run("--status", "--out", tmp_path / "gone") == 2
    assert list(tmp_path.iterdir()) == []
    assert posegen_run("--status") == 2
    assert "--out is missing" in capsys.readouterr().err


def test_another_directory_is_free_meanwhile(
    running: tuple[Path, tuple[object, ...]], tiny_bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "few").mkdir()
    cv2.imwrite(str(tmp_path / "few/a.png"), example_mask(0))
    few = ("--masks", tmp_path / "few", "--bundle", tiny_bundle, "--out", tmp_path / "other")
    assert posegen_run(*few) == 0
