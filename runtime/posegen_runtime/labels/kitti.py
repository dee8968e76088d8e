"""A KITTI object data set: metres, OpenCV's camera frame, integer pixel centres.

Images are hard links to those of the run where the file system has such, else copies.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from posegen_runtime.labels.categories import category_of
from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.labels.cuboids import BEHIND, Cuboid, cuboid_of, why_no_cuboid
from posegen_runtime.labels.folders import NewFolder
from posegen_runtime.labels.left_out import HIDDEN, why_no_pose
from posegen_runtime.labels.limits import Rectangle, box_around, limits_of
from posegen_runtime.labels.opencv import Floats, opencv_view
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger.entries import ImageRow
from posegen_runtime.links import Linker

LITTLE_HIDDEN, HALF_HIDDEN = 0.05, 0.5
"""Up to these shares of a silhouette count as fully visible and partly occluded."""

SLACK_PX, SLACK = 2.0, 0.03
"""A silhouette may reach out of the seen box by so many pixels and this share of its diagonal."""
FILLS = 0.6
"""At least this IoU have the rectangles around a silhouette and around its box."""

MISFIT = (
    "its silhouette and its box do not fit: dims_hwl_m, --model-forward or --model-up are wrong, "
    "or the model's origin is not the middle of its box (--mesh tells where that is)"
)

LEVEL = "0 -1 0 0 0 0 -1 0 1 0 0 0"
"""Velodyne (x forward, y left, z up) to camera, of a scanner in the camera's place."""
IDENTITY = {3: "1 0 0 0 1 0 0 0 1", 4: "1 0 0 0 0 1 0 0 0 0 1 0"}


class KittiWriter:
    """Writes `labels/kitti/`: `training/` with `image_2`, `label_2` and `calib`, and `ImageSets/`.

    Methods raise `OSError` or `PoseGenError` when a file cannot be written.
    """

    def __init__(self, out: Path, plan: LabelPlan) -> None:
        self._out = out
        self._plan = plan
        self._new = NewFolder(out / "labels" / "kitti")
        self._linker = Linker(self._new.path)
        self._training = self._new.path / "training"
        for folder in (
            *(self._training / name for name in ("image_2", "label_2", "calib")),
            self._new.path / "ImageSets",
        ):
            folder.mkdir(parents=True)
        self._lists: dict[str, TextIO] = {
            part: (self._new.path / "ImageSets" / f"{part}.txt").open("w") for part in plan.parts
        }
        self._count = 0

    def add(self, rows: Sequence[ImageRow], part: str) -> tuple[str, list[str]]:
        """Add an image with all of its objects; gives its name, and why each object is left out.
        Nothing is written where all of them are. What is left out is a region of DontCare."""
        lines, reasons = [], []
        for row in rows:
            found = self._cuboid(row)
            reasons.append(found if isinstance(found, str) else "")
            if isinstance(found, Cuboid):
                lines.append(self._line(row, found))
            elif row.data.coco and row.data.coco.area:
                lines.append(_dont_care(row.data.coco))
        if all(reasons):
            return "", reasons
        name = f"{self._count:06}"
        self._count += 1
        first = next(row for row, reason in zip(rows, reasons, strict=True) if not reason)
        assert first.data.pose is not None
        suffix = f".{first.image.rpartition('.')[2]}"
        self._linker.add(f"{self._out}/{first.image}", f"training/image_2/{name}{suffix}")
        self._write(f"label_2/{name}.txt", "".join(lines))
        self._write(f"calib/{name}.txt", _calibration(opencv_view(first.data.pose).K))
        self._lists[part].write(f"{name}\n")
        return name, reasons

    def close(self) -> None:
        """Every file appears."""
        for file in self._lists.values():
            file.close()
        self._new.commit()

    def _write(self, name: str, text: str) -> None:
        with open(f"{self._training}/{name}", "wb", buffering=0) as file:
            file.write(text.encode())

    def _cuboid(self, row: ImageRow) -> Cuboid | str:
        """The box of an object, or why it stands in no KITTI file."""
        pose, mask = row.data.pose, row.data.coco
        reason = why_no_pose(row, self._plan)
        if reason or pose is None or mask is None:
            return reason
        if (row.data.visible or mask).area == 0:
            return HIDDEN
        reason = why_no_cuboid(pose, self._plan.model)
        if reason:
            return reason
        cuboid = cuboid_of(pose, self._plan.model)
        if cuboid is None:
            return BEHIND
        return cuboid if _fits(cuboid, mask, limits_of(row.data)) else MISFIT

    def _line(self, row: ImageRow, cuboid: Cuboid) -> str:
        assert row.data.coco is not None
        kind = category_of(row.data.pose, self._plan.categories).replace(" ", "_")
        box = box_around(row.data.coco)
        numbers = [*cuboid.hwl, *cuboid.location, cuboid.rotation_y]
        return (
            f"{kind} {_truncated(cuboid, box, limits_of(row.data)):.2f} {_occluded(row)} "
            f"{cuboid.alpha:.4f} {_words(box, 2)} {_words(numbers, 4)}\n"
        )


def _around(cuboid: Cuboid) -> Rectangle:
    return Rectangle(*cuboid.corners.min(axis=0).tolist(), *cuboid.corners.max(axis=0).tolist())


def _common(one: Rectangle, other: Rectangle) -> Rectangle:
    return Rectangle(
        max(one.left, other.left),
        max(one.top, other.top),
        min(one.right, other.right),
        min(one.bottom, other.bottom),
    )


def _area(one: Rectangle) -> float:
    return max(0.0, one.right - one.left + 1) * max(0.0, one.bottom - one.top + 1)


def _fits(cuboid: Cuboid, mask: CocoMask, limits: Rectangle) -> bool:
    box, seen = box_around(mask), _common(_around(cuboid), limits)
    slack = SLACK_PX + SLACK * float(np.hypot(seen.right - seen.left, seen.bottom - seen.top))
    inside = (
        box.left >= seen.left - slack
        and box.top >= seen.top - slack
        and box.right <= seen.right + slack
        and box.bottom <= seen.bottom + slack
    )
    common = _area(_common(box, seen))
    return inside and common >= FILLS * (_area(box) + _area(seen) - common)


def _truncated(cuboid: Cuboid, box: Rectangle, limits: Rectangle) -> float:
    """The share of the rectangle around the box that lies outside; 0 where the silhouette keeps
    off the border."""
    inside = (
        box.left > limits.left
        and box.top > limits.top
        and box.right < limits.right
        and box.bottom < limits.bottom
    )
    around = _around(cuboid)
    return 0.0 if inside else 1 - _area(_common(around, limits)) / _area(around)


def _occluded(row: ImageRow) -> int:
    """KITTI's states: 0 fully visible, 1 partly, 2 largely occluded."""
    assert row.data.coco is not None
    visible = row.data.visible or row.data.coco
    hidden = 1 - visible.area / row.data.coco.area
    return 0 if hidden <= LITTLE_HIDDEN else 1 if hidden <= HALF_HIDDEN else 2


def _dont_care(mask: CocoMask) -> str:
    return f"DontCare -1 -1 -10 {_words(box_around(mask), 2)} -1 -1 -1 -1000 -1000 -1000 -10\n"


def _calibration(K: Floats) -> str:
    """All four cameras are the one; scanner and IMU stand in its place."""
    projection = " ".join(f"{number:.12e}" for row in K.tolist() for number in (*row, 0.0))
    lines = [f"P{camera}: {projection}" for camera in range(4)]
    lines += [f"R0_rect: {IDENTITY[3]}", f"Tr_velo_to_cam: {LEVEL}"]
    return "\n".join([*lines, f"Tr_imu_to_velo: {IDENTITY[4]}"]) + "\n"


def _words(numbers: Sequence[float], digits: int) -> str:
    return " ".join(f"{number:.{digits}f}" for number in numbers)
