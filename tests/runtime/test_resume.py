"""The same command goes on where it was stopped, and ends as if nobody had disturbed it."""

import json
import os
import random
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_runtime.committing import MOST
from posegen_runtime.pipeline import AHEAD, GROUP
from posegen_runtime.stopping import stopping
from tiny_bundle import SIZE, example_mask, example_photo
from whole_runs import (
    counts,
    images_there,
    outputs,
    posegen_run,
    record,
    rows,
    start,
    wait_for,
    write_masks,
)

MASKS = 80
FAILED = 5
JOBS = 2 * MASKS
LANES = 2


class Given:
    """Inputs, and the outputs of a run that nobody disturbed."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.masks = write_masks(folder / "masks", MASKS)
        for index in range(30, 30 + FAILED):
            (self.masks / f"{index:04}.png").unlink()
            cv2.imwrite(str(self.masks / f"{index:04}.png"), np.zeros((SIZE, SIZE), np.uint8))
        (folder / "photos").mkdir()
        for index in range(3):
            cv2.imwrite(str(folder / f"photos/{index}.png"), example_photo(index))
        self.bundle = bundle
        self.photos = folder / "photos"
        assert posegen_run(*self.command(folder / "undisturbed")) == 1
        self.expected = outputs(folder / "undisturbed")
        self.rows = rows(folder / "undisturbed")

    def command(self, out: Path) -> tuple[object, ...]:
        return (
            "--masks", self.masks, "--out", out, "--bundle", self.bundle, "--per-mask", 2,
            "--background", self.photos, "--lanes", LANES, "--batch", 1,
        )  # fmt: skip


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Given:
    return Given(tmp_path_factory.mktemp("given"), tiny_bundle)


def written(out: Path) -> dict[str, int]:
    """When each image was written."""
    images = (path for path in (out / "images").rglob("*.png") if path.name[0] != ".")
    return {path.name: path.stat().st_mtime_ns for path in images}


def stop(out: Path, given: Given, how: signal.Signals, images: int) -> int:
    """Begin or go on until `images` more are there, then send `how`; the exit code."""
    before = images_there(out)
    process = start(*given.command(out), seconds=0.004)
    wait_for(lambda: images_there(out) >= before + images, process)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert process.returncode is not None
    return process.returncode


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)]
)
def test_a_stopped_run_goes_on(
    given: Given, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    out = tmp_path / "out"
    assert stop(out, given, how, images=MOST + 30) == code
    there = written(out)
    state = counts(out)
    assert state.planned == JOBS == state.done + state.failed + state.pending
    assert state.pending > 0
    killed = how is signal.SIGKILL
    assert 0 <= len(there) - state.done <= (MOST + AHEAD * LANES * GROUP if killed else 0)
    if not killed:
        assert [row["mask"] for row in rows(out)] == [
            row["mask"] for row in given.rows[: state.done + state.failed]
        ]
    assert record(out)["state"] == ("running" if killed else "interrupted")
    partial = ["images/.0123456789abcdef.part", "masks/.0123456789abcdef.part"]
    partial += [".0123456789abcdef.part", "labels/yolo/labels/.0123456789abcdef.part"]
    for name in partial:
        (out / name).write_text("half")

    assert posegen_run(*given.command(out)) == 1
    assert outputs(out) == given.expected
    after = written(out)
    again = [name for name, moment in there.items() if after[name] != moment]
    assert len(again) == len(there) - state.done
    final = record(out)
    assert final["state"] == "finished"
    assert (final["done"], final["failed"], final["pending"]) == (JOBS - 2 * FAILED, 2 * FAILED, 0)
    first, second = final["sessions"]
    assert first["made"] == state.done, "also where only the ledger could tell"
    assert (first["seconds"] > 0) is (state.done + state.failed > 0)
    assert first["seconds"] <= second["started"] - first["started"]
    assert second["made"] == JOBS - 2 * FAILED - state.done
    assert first["started"] < second["started"]
    assert f"{JOBS - 2 * FAILED:,}" in (out / "report.html").read_text()


@pytest.mark.slow
def test_many_kills_at_any_moment(given: Given, tmp_path: Path) -> None:
    out = tmp_path / "out"
    moments = random.Random(0)
    for _ in range(5):
        assert stop(out, given, signal.SIGKILL, moments.randrange(1, 25)) == -9
        state = counts(out)
        assert state.planned == JOBS == state.done + state.failed + state.pending
    assert posegen_run(*given.command(out)) == 1
    assert outputs(out) == given.expected
    assert len(record(out)["sessions"]) == 6


@pytest.mark.parametrize("there", [".lock", "ledger.sqlite", "run.json"])
def test_a_kill_while_a_run_begins(given: Given, tmp_path: Path, there: str) -> None:
    out = tmp_path / "out"
    process = start(*given.command(out), seconds=0.004)
    wait_for(lambda: (out / there).exists(), process)
    process.kill()
    process.communicate()
    assert posegen_run(*given.command(out)) == 1
    assert outputs(out) == given.expected


def test_a_finished_run_is_over(
    given: Given, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "out"
    assert posegen_run(*given.command(out)) == 1
    there = written(out)
    capsys.readouterr()
    assert posegen_run(*given.command(out)) == 1
    assert capsys.readouterr().out.startswith(
        f"{JOBS - 2 * FAILED} images done (0 now), {2 * FAILED} failed in "
    )
    assert written(out) == there
    assert outputs(out) == given.expected
    assert [session["made"] for session in record(out)["sessions"]] == [JOBS - 2 * FAILED, 0]


def test_a_moved_output_goes_on_elsewhere(given: Given, tmp_path: Path) -> None:
    """The ledger holds names, not places."""
    assert stop(tmp_path / "out", given, signal.SIGINT, images=30) == 130
    os.rename(tmp_path / "out", tmp_path / "moved")
    assert posegen_run(*given.command(tmp_path / "moved")) == 1
    assert outputs(tmp_path / "moved") == given.expected


def test_lanes_and_batch_may_change_in_between(given: Given, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert stop(out, given, signal.SIGINT, images=30) == 130
    assert posegen_run(*given.command(out), "--lanes", 1, "--batch", 4) == 1
    assert outputs(out) == given.expected
    options = record(out)["options"]
    assert (options["lanes"], options["batch"]) == (1, 4)


def test_images_that_are_gone_or_empty_are_made_anew(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = write_masks(tmp_path / "masks", 6)
    common = ("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out")
    assert posegen_run(*common) == 0
    before = outputs(tmp_path / "out")
    images = sorted((tmp_path / "out" / "images").iterdir())
    images[1].unlink()
    images[3].write_bytes(b"")
    assert posegen_run(*common) == 0
    assert "2 jobs are done, but their files are gone or empty" in capsys.readouterr().err
    assert outputs(tmp_path / "out") == before


def test_mended_masks_are_read_as_the_others_were(tiny_bundle: Path, tmp_path: Path) -> None:
    """What was guessed once is not guessed anew, from files that changed."""
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(3):
        cv2.imwrite(str(masks / f"{number}.png"), example_mask(number) // 255)
    (masks / "3.png").write_bytes(b"no image")
    common = ("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out")
    assert posegen_run(*common) == 1
    before = record(tmp_path / "out")["options"]["mask_values"]
    cv2.imwrite(str(masks / "3.png"), 3 * (example_mask(3) // 255))
    assert posegen_run("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "new") == 2
    assert posegen_run(*common, "--retry-failed") == 0
    assert record(tmp_path / "out")["options"]["mask_values"] == before


def test_a_batch_above_the_bundles_is_told(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = write_masks(tmp_path / "masks", 2)
    common = ("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out")
    assert posegen_run(*common, "--batch", 1000) == 0
    most = json.loads((tiny_bundle / "bundle.json").read_bytes())["max_batch"]
    told = capsys.readouterr().err
    assert f"note: --batch 1000: the bundle takes at most {most} images a call\n" in told
    assert record(tmp_path / "out")["options"]["batch"] == most


def test_a_run_with_images_tries_every_mended_mask(tiny_bundle: Path, tmp_path: Path) -> None:
    """More broken masks than would end a run whose reading is guessed stand before it."""
    masks = write_masks(tmp_path / "masks", 2)
    whole = (masks / "0001.png").read_bytes()
    for number in range(2, 42):
        (masks / f"{number:04}.png").write_bytes(b"no image")
    common = ("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out")
    assert posegen_run(*common) == 1
    (masks / "0041.png").write_bytes(whole)
    assert posegen_run(*common, "--retry-failed") == 1
    assert counts(tmp_path / "out").done == 3


def test_a_crash_of_the_backend_is_one_line_and_goes_on(
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    masks = write_masks(tmp_path / "masks", 6)
    common = ("--masks", masks, "--bundle", tiny_bundle, "--out", tmp_path / "out")

    def crash(self: object, *arguments: object) -> None:
        raise RuntimeError("CUDA error: out of\nmemory")

    with monkeypatch.context() as patch:
        patch.setattr("posegen_runtime.generator.PoseGenerator.generate_keyed", crash)
        assert posegen_run(*common) == 2
    line = "the model stopped: RuntimeError: CUDA error: out of memory"
    assert f"error: {line}" in capsys.readouterr().err
    told = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (told["state"], told["pending"]) == ("stopped", 6)
    assert told["warnings"][0].startswith(line)
    assert posegen_run(*common) == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_that_stop_politely(name: str) -> None:
    number = getattr(signal, name)
    usual = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
    before = signal.signal(number, usual)  # whatever the tests themselves were started with
    try:
        with stopping() as stop:
            os.kill(os.getpid(), number)
            assert stop.wait(5)
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, before)


def test_under_nohup_a_closed_terminal_stops_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.wait(0.2)
    finally:
        signal.signal(signal.SIGHUP, before)
