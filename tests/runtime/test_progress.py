"""What a run says while it works, and run.json and report.html at its end."""

import time
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from posegen_runtime import progress
from posegen_runtime.progress import Progress, duration
from posegen_runtime.sinks.webdataset import SampleWriter, WebDatasetSink
from tiny_bundle import SIZE
from whole_runs import posegen_run, record, write_masks

Capture = pytest.CaptureFixture[str]


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_on_no_terminal_a_line_a_minute(clock: Clock, capsys: Capture) -> None:
    with Progress(5000, 4000) as told:
        for number in range(1000):
            clock.now += 0.125
            told.add(failed=number in (3, 700))
    assert capsys.readouterr().err == (
        "480 of 4000 images, 8.0 images/s, 7 min 20 s left, 1 failed\n"
        "960 of 4000 images, 8.0 images/s, 6 min 20 s left, 2 failed\n"
    )


def test_of_tars_what_is_made_again_counts(
    tiny_bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All jobs of a tar where one is tried again, and none of the others."""
    opened = WebDatasetSink.__init__

    def small(self: WebDatasetSink, out: Path, writer: SampleWriter) -> None:
        opened(self, out, msgspec.structs.replace(writer, jobs=4))

    monkeypatch.setattr(WebDatasetSink, "__init__", small)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    masks = write_masks(tmp_path / "masks", 10)
    whole = (masks / "0000.png").read_bytes()
    (masks / "0005.png").write_bytes(b"no image")
    common = ("--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle)
    assert posegen_run(*common, "--sink", "webdataset") == 1
    (masks / "0005.png").write_bytes(whole)
    capsys.readouterr()
    assert posegen_run(*common, "--sink", "webdataset", "--retry-failed") == 0
    told = [line for line in capsys.readouterr().err.splitlines() if " images, " in line]
    assert [line.partition(" images")[0] for line in told] == [f"{n} of 4" for n in (1, 2, 3, 4)]


def test_a_short_run_says_nothing(clock: Clock, capsys: Capture) -> None:
    with Progress(10, 10) as told:
        for _ in range(10):
            clock.now += 1
            told.add(failed=False)
    assert capsys.readouterr().err == ""


def test_mask_files_with_several_objects_never_end_in_less_than_no_time(
    clock: Clock, capsys: Capture
) -> None:
    with Progress(2, 2) as told:
        for _ in range(70):
            clock.now += 1
            told.add(failed=False)
    assert capsys.readouterr().err == "60 of 60 images, 1.0 images/s, 0 s left\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (7500, "2 h 05 min"),
        (360000, "100 h 00 min"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_command_tells_rate_and_failures_without_escape_codes(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    masks = write_masks(tmp_path / "masks", 20)
    cv2.imwrite(str(masks / "0003.png"), np.zeros((SIZE, SIZE), np.uint8))
    out = tmp_path / "out"
    assert posegen_run("--masks", masks, "--out", out, "--bundle", tiny_bundle) == 1
    captured = capsys.readouterr()
    assert "\x1b" not in captured.err
    assert "\n20 of 20 images, " in captured.err
    assert "failed: 0003.png: " in captured.err
    assert captured.out.startswith("19 images done, 1 failed in ")
    assert captured.out.endswith(f"images/s: {out}\nreport: {out / 'report.html'}\n")


def test_only_the_first_failures_are_told(
    tiny_bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    masks = write_masks(tmp_path / "masks", 30)
    for index in range(1, 26):
        (masks / f"{index:04}.png").unlink()
        cv2.imwrite(str(masks / f"{index:04}.png"), np.zeros((SIZE, SIZE), np.uint8))
    assert posegen_run("--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle) == 1
    assert capsys.readouterr().err.count("failed: ") == 10


def test_the_record_and_the_report_of_a_run(tiny_bundle: Path, tmp_path: Path) -> None:
    masks, out = write_masks(tmp_path / "masks & <more>", 12), tmp_path / "out"
    cv2.imwrite(str(masks / "0003.png"), np.zeros((SIZE, SIZE), np.uint8))
    begin = time.time()
    command = ("--masks", masks, "--out", out, "--bundle", tiny_bundle, "--seed", 4)
    assert posegen_run(*command, "--lanes", 2, "--batch", 3) == 1
    told = record(out)
    assert told["schema"] == 2
    assert told["state"] == "finished"
    counts = [told[name] for name in ("planned", "done", "rejected", "failed", "pending")]
    assert counts == [12, 11, 0, 1, 0]
    (session,) = told["sessions"]
    assert begin <= session["started"] <= time.time()
    assert session["made"] == 11
    assert 0 < session["seconds"] < 60
    options = told["options"]
    assert (options["seed"], options["lanes"], options["batch"]) == (4, 2, 3)
    assert (options["masks"], options["out"]) == (str(masks), str(out))
    assert (options["backend"], options["precision"]) == ("cpu", "fp32")
    assert options["shard"] == "1/1"
    assert told["bundle"]["path"] == str(tiny_bundle)
    assert len(told["bundle"]["sha256"]) == 64
    assert told["hardware"]["cores"] >= 1

    page = (out / "report.html").read_text()
    assert "<script" not in page
    assert page.count("data:image/") >= 3
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert str(masks).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page


def test_a_run_without_an_image_has_a_report(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/a.png"), np.zeros((SIZE, SIZE), np.uint8))
    out = tmp_path / "out"
    command = ("--masks", tmp_path / "masks", "--out", out, "--bundle", tiny_bundle, "--preview")
    assert posegen_run(*command) == 1
    assert (out / "report.html").exists()
    assert not (out / "preview.png").exists()
