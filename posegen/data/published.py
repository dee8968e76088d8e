"""What the commands for published data sets share: their photos, checked, as one data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from posegen.data.photo_checks import Checks, Masks, Progress, Usable, check_photos
from posegen.data.photo_plan import Shot
from posegen.data.photos import Outcome, Writer
from posegen.data.segmented import segmented
from posegen.data.silhouettes import Folder
from posegen.render.outputs import claim_directory
from posegen_runtime.choices import Fit, MaskChannel
from posegen_runtime.errors import PoseGenError
from posegen_runtime.masks import MaskReading, MaskValues


@dataclass(frozen=True)
class Recipe:
    """`masks` of the photos below `root`, or what finds them."""

    root: Path
    out: Path
    masks: Masks | Folder
    size: int
    fit: Fit
    min_object: int
    seed: int
    kind: str
    licence: str

    def check(
        self, groups: dict[Path, str], progress: Progress
    ) -> tuple[dict[str, list[Usable]], list[tuple[Path, str]]]:
        """The usable of the photos, by group, and what is dropped and why."""
        names = list(groups)
        claim_directory(self.out)
        masks, reading = self.masks, MaskReading(values=MaskValues.HALF, channel=MaskChannel.LUMA)
        if isinstance(masks, Folder):
            masks, reading = segmented(masks, names, progress)
        checks = Checks(self.root, masks, reading, self.size, self.fit, self.min_object)
        return check_photos(names, checks, groups, progress)

    def write(
        self, shots: Sequence[Shot], dropped: list[tuple[Path, str]], progress: Progress
    ) -> Outcome:
        """Raises `PoseGenError` when nothing is left to train on."""
        if not any(shot.split == "train" for shot in shots):
            raise PoseGenError(f"{self.root}: no photo is left to train on, of {len(shots)} usable")
        writer = Writer(
            self.root, self.out, self.size, self.seed, kind=self.kind, licence=self.licence
        )
        return writer.write(shots, dropped, progress)


def opening(outcome: Outcome, out: Path) -> str:
    """The counts, which add up."""
    splits = ", ".join(f"{name} {count}" for name, count in outcome.splits.items())
    used = outcome.found - len(outcome.dropped)
    return f"{out}: {outcome.found} photos, {used} used ({splits}), {len(outcome.dropped)} dropped"
