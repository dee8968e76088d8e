"""Why an object stands in no file of a format, in words that group."""

from collections import Counter
from collections.abc import Mapping

from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger.entries import ImageRow

NO_POSE = "its mask has no pose"
AMBIGUOUS = "its silhouette leaves the heading open (--keep-ambiguous takes it)"
TOLD = "its silhouette leaves the heading open (--leave-ambiguous)"
HIDDEN = "nearer objects hide all of it"


def why_no_pose(row: ImageRow, plan: LabelPlan) -> str:
    """Why no format that holds poses can take an object; "": one can.

    What the model was told mostly settles a heading that the silhouette leaves open.
    """
    pose, told = row.data.pose, row.data.viewpoint is not None
    if pose is None:
        return NO_POSE
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
