"""Why an object stands in no file of a format, in words that group."""

from collections import Counter
from collections.abc import Mapping

from posegen_runtime.labels.limits import Rectangle, box_around, limits_of
from posegen_runtime.labels.opencv import opencv_view
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger.entries import ImageRow
from posegen_runtime.poses import Pose

NO_POSE = "its mask has no pose"
AMBIGUOUS = "its silhouette leaves the heading open (--keep-ambiguous takes it)"
TOLD = "its silhouette leaves the heading open (--leave-ambiguous)"
OFF_MESH = "the mesh, seen by its pose, does not fall on its silhouette"
ASIDE = "its pose puts the model's origin far from its silhouette"
HIDDEN = "nearer objects hide all of it"

REACH, REACH_CUT = 1.0, 3.0
"""So many longer sides of a silhouette's box the origin may be outside it: an origin need not be in
the body, and of an object that the image's border cuts little may be left."""


def why_no_pose(row: ImageRow, plan: LabelPlan) -> str:
    """Why no format that holds poses can take an object; "": one can.

    What the model was told mostly settles a heading that the silhouette leaves open.
    """
    pose, told = row.data.pose, row.data.viewpoint is not None
    if pose is None:
        return NO_POSE
    if row.data.misfit is not None:
        return OFF_MESH
    mask, has_mesh = row.data.coco, plan.model.box is not None
    if mask and not has_mesh and is_aside(pose, box_around(mask), limits_of(row.data)):
        return ASIDE
    if pose.ambiguous:
        return why_ambiguous(told, plan.keep_ambiguous, plan.leave_ambiguous)
    return ""


def why_ambiguous(told: bool, keep: bool, leave: bool) -> str:
    """Why a pose is left out whose silhouette leaves the heading open; "": it is kept."""
    if keep:
        return ""
    if told:
        return TOLD if leave else ""
    return AMBIGUOUS


def is_aside(pose: Pose, box: Rectangle, limits: Rectangle) -> bool:
    """Whether the origin of a pose is seen far from the box around its silhouette."""
    _, t, K = opencv_view(pose)
    x, y, z = (K @ t).tolist()
    cut = (
        box.left <= limits.left + 1
        or box.top <= limits.top + 1
        or box.right >= limits.right - 1
        or box.bottom >= limits.bottom - 1
    )
    longer = max(box.right - box.left, box.bottom - box.top) + 1
    reach = (REACH_CUT if cut else REACH) * longer
    horizontally = box.left - reach <= x / z <= box.right + reach
    return not (horizontally and box.top - reach <= y / z <= box.bottom + reach)


class LeftOut:
    """Counts the objects that a format does not hold."""

    def __init__(self) -> None:
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._objects = 0
        self._kept = 0

    def add(self, reasons: Mapping[str, str]) -> None:
        """The next object, and why formats leave it out, by their names."""
        self._objects += 1
        self._reasons.update(reasons.items())

    def add_kept(self) -> None:
        """An object stands in a format although its silhouette leaves the heading open."""
        self._kept += 1

    def lines(self, keeps: bool) -> list[str]:
        """A line for each format and reason, the most frequent first. `keeps`: --keep-ambiguous."""
        lines = [
            f"labels/{name}: {count} of {self._objects} objects are left out: {reason}"
            for (name, reason), count in self._reasons.most_common()
        ]
        if self._kept:
            why = (
                "--keep-ambiguous"
                if keeps
                else "the model was told the viewpoint, which helps but does not settle all; "
                "--leave-ambiguous leaves them out"
            )
            lines.append(
                f"labels: {self._kept} of {self._objects} objects stand in BOP or KITTI although "
                f"their silhouettes leave the heading open: {why}"
            )
        return lines
