"""Why an object stands in no file of a format, in words that group."""

from collections import Counter
from collections.abc import Mapping

from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger.entries import ImageRow

NO_POSE = "its mask has no pose"
AMBIGUOUS = "its silhouette leaves the heading open (--keep-ambiguous takes it)"
HIDDEN = "nearer objects hide all of it"


def why_no_pose(row: ImageRow, plan: LabelPlan) -> str:
    """Why no format that holds poses can take an object; "": one can.

    What the model was told settles a heading that the silhouette leaves open.
    """
    pose, told = row.data.pose, row.data.viewpoint is not None
    if pose is None:
        return NO_POSE
    if pose.ambiguous and not plan.keep_ambiguous and not told:
        return AMBIGUOUS
    return ""


class LeftOut:
    """Counts the objects that a format does not hold."""

    def __init__(self) -> None:
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._objects = 0

    def add(self, reasons: Mapping[str, str]) -> None:
        """The next object, and why formats leave it out, by their names."""
        self._objects += 1
        self._reasons.update(reasons.items())

    def lines(self) -> list[str]:
        """One line for each format and reason, the most frequent first."""
        return [
            f"labels/{name}: {count} of {self._objects} objects are left out: {reason}"
            for (name, reason), count in self._reasons.most_common()
        ]
