"""The report's label side: what labels cover, poses over images, what judges said of them."""

import base64
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from posegen_runtime.poses import Pose
from posegen_runtime.report import ReportRow, write_report
from posegen_runtime.report.axes import axes
from posegen_runtime.report.gallery import Size, gather, outline_path
from posegen_runtime.verdicts import Verdict, compared
from projection import project
from report_page import Page
from tiny_bundle import example_mask, example_photo

SIDE = 64
RUN = {"state": "finished", "options": {"min_iou": 0.8, "seed": 0}}
POSE = Pose(
    mask="a.png",
    R_m2c=(1, 0, 0, 0, 1, 0, 0, 0, 1),
    t_m2c=(0, 0, 8000),
    t_unit="mm",
    cam_K=(80, 0, 32, 0, 80, 32, 0, 0, 1),
    image_size=(SIDE, SIDE),
    camera_frame="opencv",
    pixel_center="half",
)
ASKED, FOUND = example_mask(1, SIDE) > 0, example_mask(2, SIDE) > 0


def judged(index: int, iou: float, **changes: object) -> ReportRow:
    verdict = msgspec.structs.replace(compared(ASKED, FOUND), iou=iou)
    values = {
        "mask": f"{index}.png",
        "state": "done" if iou >= 0.8 else "rejected",
        "reason": "" if iou >= 0.8 else "does not fill its mask",
        "image": "images/a.png",
        "mask_file": "masks/a.png",
        "finished": 1.7e9 + index,
        "timings": {"infer": 0.02, "verify": 0.01},
        "category": "car" if index % 2 else "van",
        "area": 0.1 + index % 7 / 100,
        "viewpoint": (0.0, 1.0, 0.2),
        "pose": POSE,
        "verdict": verdict,
    }
    return ReportRow(**values | changes)  # type: ignore[arg-type]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / "images/a.png"), example_photo(1, SIDE))
    cv2.imwrite(str(tmp_path / "masks/a.png"), example_mask(1, SIDE))
    return tmp_path


def test_the_page_tells_what_judges_found_and_labels_cover(out: Path) -> None:
    rows = [judged(i, 0.7 if i < 10 else 0.9) for i in range(40)]
    page = Page(write_report(out, rows, RUN))
    for words in (
        "IoU 0.850 on average",
        "half of the images reach 0.901, 95% reach 0.701",
        "The dashed line, 0.800, is --min-iou.",
        "of others: IoU 0.815",
        "over 40 images; 100% of them would pass",  # all show one silhouette
        "The 32 lowest IoUs",
        "0.png IoU 0.700, shift 3%, size 1.02: rejected",
        "verify 33.3% 10.0 ms 10.0 ms",
        "10 rejected does not fill its mask 0.png",
        "van 15 5",
        "car 15 5",
        "What the labels cover",
    ):
        assert words in page.text, words
    assert page.alts[:32] == [f"{i}.png" for i in range(32)]
    labels = [tag for tag in page.source.split("<svg") if "aria-label" in tag]
    assert [name in "".join(labels) for name in ("Yaw", "Distance", "Silhouette")] == [True] * 3
    yaw = page.source.split('aria-label="Yaw')[1].split("</svg>")[0]
    assert yaw.count("<rect") == 2  # one bar, of done and rejected
    found = outline_path(255 * FOUND.astype(np.uint8), SIDE, SIDE)
    assert page.source.count(f'<path class="found" d="{found}"') == 32


def test_without_judges_and_poses_the_page_is_silent(out: Path) -> None:
    bare = {"verdict": None, "pose": None, "viewpoint": None, "area": None, "category": "object"}
    page = Page(write_report(out, [judged(i, 0.9, **bare) for i in range(3)], RUN))
    assert "IoU" not in page.text
    assert "Yaw" not in page.source
    assert "<line" not in page.source
    assert "object 3 0" in page.text


def test_one_mask_has_no_control(out: Path) -> None:
    page = Page(write_report(out, [judged(0, 0.9, mask="a.png")] * 4, RUN))
    assert "No control: the images show too few different masks." in page.text


def test_axes_are_where_the_camera_sees_them() -> None:
    mask = example_mask(1, SIDE)
    lines = axes(POSE, mask)
    (x, y, z) = lines
    assert {line[:2] for line in lines} == {(32.0, 32.0)}
    assert x[2] > 40
    assert x[3] == y[2] == 32
    assert y[3] - 32 == pytest.approx(x[2] - 32)
    assert z == (32, 32, 32, 32)  # it points away


def test_axes_are_the_same_in_every_convention() -> None:
    mask = example_mask(1, SIDE)
    turned = msgspec.structs.replace(
        POSE, R_m2c=(0.6, 0, 0.8, 0, 1, 0, -0.8, 0, 0.6), t_m2c=(100, -200, 8000)
    )
    expected = np.array(axes(turned, mask))
    centre, *ends = project(np.vstack([np.zeros(3), np.eye(3)]), turned)
    assert expected[:, :2] == pytest.approx(np.tile(centre, (3, 1)))
    for end, (x0, y0, x1, y1) in zip(ends, expected, strict=True):
        seen = (end - centre) / np.hypot(*(end - centre))
        drawn = np.array([x1 - x0, y1 - y0]) / np.hypot(x1 - x0, y1 - y0)
        assert drawn == pytest.approx(seen, abs=0.02)
    flip = np.diag([1.0, -1.0, -1.0])
    others = [
        msgspec.structs.replace(
            turned,
            R_m2c=tuple((flip @ np.reshape(turned.R_m2c, (3, 3))).ravel()),
            t_m2c=(100, 200, -8000),
            camera_frame="opengl",
        ),
        msgspec.structs.replace(
            turned, cam_K=(80, 0, 31.5, 0, 80, 31.5, 0, 0, 1), pixel_center="integer"
        ),
        msgspec.structs.replace(turned, t_m2c=(0.1, -0.2, 8), t_unit="m"),
    ]
    for other in others:
        assert np.array(axes(other, mask)) == pytest.approx(expected, abs=1e-6)


def test_of_a_frame_the_part_that_was_judged_is_shown(out: Path) -> None:
    """The object stands at (100, 60) of the frame, at twice its size; its pose is the frame's."""
    frame, mask = np.zeros((300, 400, 3), np.uint8), np.zeros((300, 400), np.uint8)
    large = cv2.resize(example_mask(1, SIDE), (128, 128), interpolation=cv2.INTER_NEAREST)
    mask[60:188, 100:228] = large
    frame[60:188, 100:228] = 200
    cv2.imwrite(str(out / "images/f.png"), frame)
    cv2.imwrite(str(out / "masks/f.png"), mask)
    pose = msgspec.structs.replace(
        POSE, cam_K=(160, 0, 164, 0, 160, 124, 0, 0, 1), image_size=(400, 300)
    )
    files = {"image": "images/f.png", "mask_file": "masks/f.png", "pose": pose}
    row = judged(0, 0.9, **files, window=(100, 60, 228, 188))

    def read(name: str) -> bytes:
        return (out / name).read_bytes()

    (cut,) = gather([(0, row)], read, Size(judged=True)).pictures
    (whole,) = gather([(0, row)], read).pictures
    assert (cut.width, cut.height, whole.width, whole.height) == (128, 128, 320, 240)
    assert cut.outline == outline_path(large, 128, 128)
    moved = np.array(cut.axes) + np.array([100, 60, 100, 60])
    assert moved == pytest.approx(np.array(whole.axes) / 0.8)
    assert cut.axes[0][:2] == (64, 64)
    assert cut.found == outline_path(255 * FOUND.astype(np.uint8), 128, 128)
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(cut.jpeg), np.uint8), 0)
    assert pixels.min() > 190


def test_a_rejected_image_that_was_deleted_is_left_out(out: Path) -> None:
    rows = [judged(i, 0.5, image="rejected/images/x.png") for i in range(40)]
    rows += [judged(40 + i, 0.9) for i in range(10)]
    page = Page(write_report(out, rows, RUN))
    assert "The 10 lowest" in page.text or "lowest" not in page.text


def test_the_worst_pictures_stay_below_3_mb(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "i.png"), rng.integers(0, 256, (700, 700, 3), np.uint8))
    noise = rng.integers(0, 2, (700, 700), np.uint8)
    cv2.imwrite(str(tmp_path / "m.png"), 255 * noise)
    seen = compared(noise[:128, :128] > 0, noise[128:256, :128] > 0).seen
    rows = [
        judged(
            i,
            0.9,
            image="i.png",
            mask_file="m.png",
            category=f"{i}" * 500,
            verdict=Verdict(iou=0.5, shift=0.1, size_ratio=1.0, heading_error_deg=170.0, seen=seen),
        )
        for i in range(80)
    ]
    path = write_report(tmp_path, rows, RUN)
    assert len(Page(path).alts) == 32 + 32 + 8
    assert path.stat().st_size < 3e6


def test_memory_does_not_grow_with_the_rows(out: Path) -> None:
    verdict = compared(ASKED, FOUND)

    def rows(count: int) -> Iterator[ReportRow]:
        for i in range(count):
            yield judged(i, 0.9, verdict=verdict, category=f"{i}")

    peaks = []
    for count in (3000, 9000):
        tracemalloc.start()
        write_report(out, rows(count), RUN)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
