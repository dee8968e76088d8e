"""All label files of a run, written from its rows in one pass."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from posegen_runtime.labels.background import BackgroundLabels, merged
from posegen_runtime.labels.bop import AddModels, BopWriter
from posegen_runtime.labels.categories import category_of
from posegen_runtime.labels.coco import CocoMask, CocoWriter
from posegen_runtime.labels.kitti import KittiWriter
from posegen_runtime.labels.left_out import LeftOut, why_no_pose
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.labels.poses import PoseWriter
from posegen_runtime.labels.splits import PartCounts
from posegen_runtime.labels.yolo import YoloWriter
from posegen_runtime.ledger.entries import ImageRow
from posegen_runtime.ledger.schema import State


class Standing(msgspec.Struct):
    """Where one object stands in the formats that number their files, or why it does not; by the
    formats' names."""

    labels: dict[str, str] = {}
    left_out: dict[str, str] = {}

    def set(self, name: str, text: str, left_out: bool) -> None:
        (self.left_out if left_out else self.labels)[name] = text


class LabelFiles:
    """Each file of `labels/` appears whole, with `close`.

    Methods raise `OSError` or `PoseGenError` when a file cannot be written.
    """

    def __init__(
        self,
        out: Path,
        plan: LabelPlan,
        background: BackgroundLabels | None = None,
        add_models: AddModels | None = None,
    ) -> None:
        folder = out / "labels"
        formats, categories, parts = plan.formats, plan.categories, plan.parts
        self._plan = plan
        self._background = background
        self._left_out = LeftOut()
        self._shares = PartCounts(parts)
        self._coco: dict[str, CocoWriter] = {}
        if "coco" in formats:
            for part in parts:
                named = part if plan.split else ""
                in_coco = merged(categories, background.categories) if background else categories
                self._coco[part] = CocoWriter(folder / "coco", in_coco, named)
        self._yolo = YoloWriter(folder / "yolo", categories, parts) if "yolo" in formats else None
        self._bop = BopWriter(out, categories, parts, add_models) if "bop" in formats else None
        self._kitti = KittiWriter(out, plan) if "kitti" in formats else None
        self._poses = PoseWriter(folder) if plan.with_poses else None

    def add(self, rows: Sequence[ImageRow]) -> list[Standing]:
        """All rows of one job; gives where each stands. Those that are done and share an image are
        the objects of one frame."""
        images: dict[str, list[ImageRow]] = {}
        for row in rows:
            if row.state is State.DONE:
                images.setdefault(row.image, []).append(row)
        stands = {image: iter(self._add_image(objects)) for image, objects in images.items()}
        return [next(stands[row.image]) if row.state is State.DONE else Standing() for row in rows]

    def _add_image(self, rows: Sequence[ImageRow]) -> list[Standing]:
        plan, first = self._plan, rows[0]
        part = plan.split.of(first) if plan.split else plan.parts[0]
        self._shares.add(first, part)
        name = first.image.removeprefix("images/")
        if self._coco:
            objects = [
                (mask, category_of(row.data.pose, plan.categories))
                for row in rows
                if (mask := row.data.visible or row.data.coco)
            ]
            crowd: list[tuple[CocoMask, str]] = []
            if self._background and first.background:
                whole = [row.data.coco for row in rows if row.data.coco]
                for kept in self._background.remaining(first.background, whole):
                    (crowd if kept.iscrowd else objects).append((kept.mask, kept.category))
            self._coco[part].add(name, objects, crowd)
        if self._yolo:
            self._yolo.add(name, part)
        if self._poses:
            for row in rows:
                if row.data.pose:
                    # A crop has a camera of its own, whatever frame it was cut out of.
                    frame = name.rpartition(".")[0] if row.data.mask else None
                    category = category_of(row.data.pose, plan.categories)
                    pose = msgspec.structs.replace(row.data.pose, frame=frame, category=category)
                    self._poses.add(row.mask_file, pose)
        standings = [Standing() for _ in rows]
        if self._bop:
            reasons = [why_no_pose(row, plan) for row in rows]
            held = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
            names = iter(self._bop.add(held, part) if held else [])
            for standing, reason in zip(standings, reasons, strict=True):
                standing.set("bop", reason or next(names), bool(reason))
        if self._kitti:
            stood, reasons = self._kitti.add(rows, part)
            for standing, reason in zip(standings, reasons, strict=True):
                standing.set("kitti", reason or stood, bool(reason))
        for row, standing in zip(rows, standings, strict=True):
            self._left_out.add(standing.left_out)
            if standing.labels and row.data.pose and row.data.pose.ambiguous:
                self._left_out.add_kept()
        return standings

    def close(self) -> list[str]:
        """Every file appears; gives what should be known about them."""
        for writer in (*self._coco.values(), self._yolo, self._bop, self._kitti, self._poses):
            if writer:
                writer.close()
        return self._shares.lines() + self._left_out.lines(self._plan.keep_ambiguous)
