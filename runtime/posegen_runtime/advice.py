"""What a user should know about the masks of a run, counted rather than repeated."""

from collections import Counter

from posegen_runtime.rows import Row

FIRST_VARIATION = 0


class Advice:
    """Counts what rows note about their masks; each mask counts once."""

    def __init__(self) -> None:
        self._masks = 0
        self._outside = 0
        self._without_pose = 0
        self._unclear_share = 0.0
        self._notes: Counter[str] = Counter()

    def add(self, row: Row, without_pose: bool) -> None:
        if row.variation != FIRST_VARIATION or row.state == "failed":
            return
        self._masks += 1
        self._without_pose += without_pose
        self._notes.update(row.notes)
        self._unclear_share = max(self._unclear_share, row.unclear_share)
        self._outside += any(note.startswith("outside") for note in row.notes)

    def lines(self) -> list[str]:
        """One line for each thing worth knowing, none when all is well."""
        of_all = f"of {self._masks} masks"
        lines = []
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
