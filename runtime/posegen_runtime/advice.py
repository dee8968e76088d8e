"""What a user should know about the masks and images of a run, counted rather than repeated."""

from collections import Counter

from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import ImageResult, ImageRow, State
from posegen_runtime.rows import Finished

FIRST_VARIATION = 0
REJECTED_AT_START = 32
"""When no mask could be used by then, they are read wrongly."""
MOST = 0.5
"""A larger share of rejected images says more of the judge than of the images."""
UNKNOWN = (
    "perhaps the segmenter does not know this object, or the model not these masks; the worst are "
    "in the report"
)


class Advice:
    """Counts what rows note about their masks; each mask counts once. `with_poses`: masks should
    have one. `noun`: what a row is."""

    def __init__(self, with_poses: bool, noun: str = "image") -> None:
        self._with_poses = with_poses
        self._noun = noun
        self._masks = self._made = self._rejected = 0
        self._outside = 0
        self._without_pose = 0
        self._unclear_share = 0.0
        self._notes: Counter[str] = Counter()

    def add(self, row: ImageRow) -> None:
        self._made += row.state in (State.DONE, State.REJECTED)
        self._rejected += row.state is State.REJECTED
        if row.variation != FIRST_VARIATION or row.state is State.FAILED:
            return
        data = row.data
        self._masks += 1
        self._without_pose += self._with_poses and data.pose is None
        self._notes.update(data.notes)
        self._unclear_share = max(self._unclear_share, data.unclear_share)
        self._outside += any(note.startswith("outside") for note in data.notes)

    def lines(self) -> list[str]:
        """One line for each thing worth knowing, none when all is well."""
        of_all = f"of {self._masks} masks"
        lines = []
        if self._rejected > MOST * self._made:
            lines.append(f"{self._rejected} of {self._made} {self._noun}s were rejected: {UNKNOWN}")
        if self._notes["unclear"]:
            lines.append(
                f"{self._notes['unclear']} {of_all} have more than 1% of pixels (at most "
                f"{self._unclear_share:.1%}) that are neither clearly black nor clearly white "
                "(JPEG?); store masks as PNG"
            )
        if self._notes["mostly white"]:
            lines.append(
                f"{self._notes['mostly white']} {of_all} are mostly white: perhaps inverted "
                "(the object must be white)"
            )
        if self._outside:
            names = sorted(n.partition(": ")[2] for n in self._notes if n.startswith("outside"))
            lines.append(
                f"{self._outside} {of_all} lie outside the range the model saw in training "
                f"({', '.join(names)}): expect worse images"
            )
        if self._without_pose:
            lines.append(f"{self._without_pose} {of_all} have no pose and no line in poses.jsonl")
        return lines


class RejectionWatch:
    """Says early what a night's work would else end with."""

    def __init__(self, noun: str = "image") -> None:
        self._noun = noun
        self._rejected = 0
        self._watching = True

    def add(self, image: ImageResult) -> str:
        """Look at the next image; a line once the first `REJECTED_AT_START` were all rejected."""
        if image.state is State.REJECTED and self._watching:
            self._rejected += 1
            if self._rejected == REJECTED_AT_START:
                self._watching = False
                first = f"the first {self._rejected} {self._noun}s"
                return f"warning: {first} were all rejected: {UNKNOWN}"
        elif image.state is State.DONE:
            self._watching = False
        return ""


class FirstMasks:
    """Ends a run that reads all its masks wrongly, instead of failing each of thousands.

    `guessed` says whether the reading was chosen from a sample; one that the user named stands.
    """

    def __init__(self, guessed: bool) -> None:
        self._watching = guessed
        self._rejected: set[str] = set()

    def check(self, finished: Finished, explanation: str) -> None:
        """Look at the next job. Raises `PoseGenError` when the first `REJECTED_AT_START` masks,
        each counted once, were all unusable; `explanation` says how masks are read."""
        if not self._watching:
            return
        if not finished.of_mask:
            self._watching = False  # there is a mask that can be read in this way
            return
        self._rejected.add(finished.job.mask.name)
        if len(self._rejected) == REJECTED_AT_START:
            raise PoseGenError(
                f"the first {REJECTED_AT_START} masks all failed, the last one because: "
                f"{finished.images[-1].reason}; {explanation}; set --mask-values and "
                "--mask-channel"
            )
