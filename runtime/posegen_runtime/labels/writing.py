"""All label files of a run, written from its rows in one pass."""

from collections.abc import Sequence
from pathlib import Path

from posegen_runtime.labels.categories import category_of
from posegen_runtime.labels.coco import CocoWriter
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.labels.poses import PoseWriter
from posegen_runtime.labels.yolo import YoloWriter
from posegen_runtime.ledger.entries import ImageRow


class LabelFiles:
    """Each file of `labels/` appears whole, with `close`.

    Methods raise `OSError` or `PoseGenError` when a file cannot be written.
    """

    def __init__(self, out: Path, plan: LabelPlan) -> None:
        folder = out / "labels"
        categories = plan.categories
        self._plan = plan
        self._coco: dict[str, CocoWriter] = {}
        if "coco" in plan.formats:
            for part in plan.parts:
                named = part if plan.split else ""
                self._coco[part] = CocoWriter(folder / "coco", categories, named)
        self._yolo = (
            YoloWriter(folder / "yolo", categories, plan.parts) if "yolo" in plan.formats else None
        )
        self._poses = PoseWriter(folder) if plan.with_poses else None

    def add(self, rows: Sequence[ImageRow]) -> None:
        """The objects of one image that is done, at least one."""
        plan, first = self._plan, rows[0]
        part = plan.split.of(first) if plan.split else plan.parts[0]
        name = first.image.removeprefix("images/")
        if self._coco:
            objects = [
                (mask, category_of(row.data.pose, plan.categories))
                for row in rows
                if (mask := row.data.visible or row.data.coco)
            ]
            self._coco[part].add(name, objects)
        if self._yolo:
            self._yolo.add(name, part)
        if self._poses:
            for row in rows:
                if row.data.pose:
                    self._poses.add(row.mask_file, row.data.pose)

    def close(self) -> None:
        for writer in (*self._coco.values(), self._yolo, self._poses):
            if writer:
                writer.close()
