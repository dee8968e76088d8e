"""The whole report: complete, self-contained, safe, small, and bounded in memory."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.report import REPORT, ReportRow, write_report
from report_page import Page
from tiny_bundle import example_mask, example_photo

RUN = {
    "state": "finished",
    "options": {"seed": 3, "mask_values": "half", "labels": ["coco", "yolo"], "poses": None},
    "bundle": {"name": "cars", "sha256": "ab" * 32},
    "versions": {"posegen": "0.1.0"},
    "hardware": {"cores": 2, "gpu": {"name": "none"}},
    "warnings": ["3 masks are unclear"],
}
STAGES = {"read": 0.001, "infer": 0.02, "encode": 0.003, "write": 0.0005}
EVIL = "<script>alert(1)</script>\n\"'&\udce9\u202e"


def done(index: int, **changes: object) -> ReportRow:
    values = {
        "mask": f"{index}.png",
        "state": "done",
        "image": "images/a.png",
        "mask_file": "masks/a.png",
        "timings": STAGES,
        "finished": 1.7e9 + index / 40,
    }
    return ReportRow(**values | changes)  # type: ignore[arg-type]


def failed(index: int, reason: str = "the file is empty; write it again") -> ReportRow:
    return ReportRow(mask=f"{index}.png", state="failed", reason=reason, finished=1.7e9 + index)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / "images/a.png"), example_photo(1, 64))
    cv2.imwrite(str(tmp_path / "masks/a.png"), example_mask(1, 64))
    return tmp_path


def test_a_report_tells_state_counts_speed_times_reasons_and_settings(out: Path) -> None:
    rows = [done(index) for index in range(400)]
    rows += [failed(index) for index in range(7)]
    rows += [ReportRow(mask="r.png", state="rejected", reason="IoU 0.7", finished=1.7e9)] * 2
    rows += [ReportRow(mask="p.png", state="pending")] * 5
    path = write_report(out, rows, RUN)
    assert path == out / REPORT
    page = Page(path)
    assert page.counts() == {
        "planned": 414, "done": 400, "rejected": 2, "failed": 7, "pending": 5,
    }  # fmt: skip
    for words in (
        "PoseGen run with cars",
        "finished The same command makes the 5 pending images.",
        "7 images failed",
        "3 masks are unclear",
        "40.2 images a second on average",
        "infer 81.6% 20.0 ms 20.0 ms",
        "7 failed the file is empty; write it again 0.png",
        "2 rejected IoU 0.7 r.png",
        "32 drawn at random of all 400 images done.",
        "mask values half",
        "poses not set",
        "labels coco, yolo",
        "gpu: name none",
    ):
        assert words in page.text, words
    assert len(page.alts) == len(page.outlines) == 32


def test_a_report_needs_nothing_from_outside_and_runs_nothing(out: Path) -> None:
    page = Page(write_report(out, [done(index) for index in range(90)], RUN))
    assert page.links
    assert all(link.startswith("data:image/jpeg;base64,") for link in page.links)
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert "url(" not in page.source
    assert "@import" not in page.source


def test_names_reasons_and_settings_are_only_text(out: Path) -> None:
    run = {
        "state": EVIL,
        "options": {EVIL: EVIL},
        EVIL: {EVIL: [EVIL]},
        "bundle": {"name": EVIL},
        "warnings": [EVIL],
    }
    rows = [
        done(1, mask=EVIL, object=EVIL, appearance=EVIL, background=EVIL, timings={EVIL: 1.0}),
        failed(2, EVIL),
        ReportRow(mask=EVIL * 30, state="rejected", reason=EVIL * 30),
    ]
    page = Page(write_report(out, rows, run))
    assert "script" not in page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    shown = "<script>alert(1)</script>\\n\"'&\\xe9\\u202e"
    assert page.alts == [f"{shown}:{shown}"]
    assert page.text.count(shown) >= 10
    assert "\u202e" not in page.source


def test_jobs_that_planning_did_not_reach_are_pending(out: Path) -> None:
    rows = [done(0), ReportRow(mask="p.png", state="pending")]
    page = Page(write_report(out, rows, RUN, planned=10))
    assert page.counts() == {"planned": 10, "done": 1, "rejected": 0, "failed": 0, "pending": 9}


@pytest.mark.parametrize("state", ["interrupted", "stopped", "running"])
def test_a_run_that_did_not_end_by_itself_says_so(out: Path, state: str) -> None:
    rows = [done(0), ReportRow(mask="p.png", state="pending")]
    page = Page(write_report(out, rows, RUN | {"state": state}))
    words = {"interrupted": "Stopped by hand", "stopped": "An error", "running": "was killed"}
    assert words[state] in page.text
    assert "The same command makes the 1 pending image." in page.text


def test_a_run_without_rows_and_without_a_record(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path, [], {}))
    assert set(page.counts().values()) == {0}
    assert "No image was made." in page.text
    assert "Settings" not in page.text


def test_one_image(out: Path) -> None:
    page = Page(write_report(out, [done(0)], RUN))
    assert page.counts()["done"] == 1
    assert "too short" in page.text
    assert "All 1 image done." in page.text
    assert "finished Every image is done." in page.text
    assert len(page.alts) == 1


def test_all_failed(out: Path) -> None:
    rows = (failed(i, f"/data/{i}.jpg: {i}×{i} pixels are too many") for i in range(3000))
    page = Page(write_report(out, rows, RUN))
    assert page.counts() | {"failed": 3000, "done": 0} == page.counts()
    assert "3,000 failed 0×0 pixels are too many 0.png" in page.text
    assert "None to show." in page.text
    assert "No image was made." in page.text
    assert "too short" not in page.text


def test_images_and_masks_that_are_gone_or_damaged(out: Path) -> None:
    (out / "images/cut.png").write_bytes((out / "images/a.png").read_bytes()[:-20])
    rows = [done(i) for i in range(3)]
    rows += [done(3, image="images/gone.png"), done(4, image="images/cut.png")]
    rows += [done(5, image="/etc/hostname"), done(6, image="../x.png"), done(7, image="a\0b")]
    rows += [done(8, mask_file="masks/gone.png")]
    page = Page(write_report(out, rows, RUN))
    assert len(page.alts) == 4
    assert len(page.outlines) == 3
    assert "5 drawn images could not be read." in page.text
    assert page.text.count("its mask cannot be read") == 1


def test_images_come_from_where_the_sink_put_them(tmp_path: Path, out: Path) -> None:
    files = {name: (out / name).read_bytes() for name in ("images/a.png", "masks/a.png")}
    rows = [done(0, image="7.tar/i", mask_file="7.tar/m")]
    found = {"7.tar/i": files["images/a.png"], "7.tar/m": files["masks/a.png"]}
    page = Page(write_report(tmp_path, rows, RUN, read=found.__getitem__))
    assert len(page.alts) == len(page.outlines) == 1


def test_the_gallery_follows_from_the_seed(out: Path) -> None:
    rows = [done(index) for index in range(500)]
    first = write_report(out, rows, RUN).read_bytes()
    assert write_report(out, rows, RUN).read_bytes() == first
    shown = Page(write_report(out, rows, RUN, seed=1)).alts
    numbers = [int(name.removesuffix(".png")) for name in shown]
    assert numbers == sorted(numbers)
    assert write_report(out, rows, RUN, seed=1).read_bytes() != first


def test_the_worst_pictures_names_and_settings_stay_below_3_mb(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "i.png"), rng.integers(0, 256, (700, 700, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "m.png"), 255 * rng.integers(0, 2, (700, 700), np.uint8))
    long = "'" * 5000
    rows = [
        done(i, mask=long, appearance=long, image="i.png", mask_file="m.png") for i in range(34)
    ]
    rows += [failed(i, "".join(chr(97 + int(c)) for c in str(i)) + long) for i in range(600)]
    run = {f"group{i}": {f"{j}{long}": long for j in range(200)} for i in range(10)}
    run |= {"warnings": [long] * 1000, "bundle": {"name": long}}
    path = write_report(tmp_path, rows, run)
    assert len(Page(path).alts) == 32
    assert path.stat().st_size < 3e6


@pytest.mark.slow
def test_100_000_rows_take_little_memory(out: Path) -> None:
    def rows(number: int) -> Iterator[ReportRow]:
        for index in range(number):
            yield failed(index, f"reason {chr(97 + index % 26)}") if index % 5 else done(index)

    peaks = []
    for number in (2000, 100_000):
        tracemalloc.start()
        page = Page(write_report(out, rows(number), RUN))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert page.counts()["planned"] == number
    assert peaks[1] < peaks[0] + 2e6


def test_a_report_that_cannot_be_written_names_the_file(out: Path) -> None:
    with pytest.raises(PoseGenError, match=r"nowhere.report\.html: cannot be written"):
        write_report(out / "nowhere", [done(0)], RUN)
