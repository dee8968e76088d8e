"""The silhouettes of a folder of photos, found by a segmenter: masks, and which photo has none."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from posegen.data.mask_cache import MaskCache
from posegen.data.mask_rcnn import Found, Segmenter
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb, write_png
from posegen_runtime.paths import read_bytes, write_atomic

MANIFEST = "silhouettes.csv"
MASKS = "masks"
_LISTED = 5


@dataclass(frozen=True)
class Outline:
    """What became of one photo. `photo` and `mask` are paths below their folders; without a mask
    `reason` says why. `share` is the part of the photo that it covers; `cached`: not found now."""

    photo: Path
    mask: Path | None
    score: float = 0.0
    share: float = 0.0
    reason: str = ""
    cached: bool = False


@dataclass(frozen=True)
class Folder:
    """Photos below `root`, whose masks go below `out`; `batch` photos are segmented at a time."""

    root: Path
    out: Path
    segmenter: Segmenter
    cache: MaskCache
    batch: int = 4

    def find(
        self, photos: Sequence[Path], progress: Callable[[str, int, int], None]
    ) -> list[Outline]:
        """Write the masks, as `NAME.png` where the photo lies; photos are paths below `root`.

        A photo that cannot be read is no error but has no mask. A run that was cut off goes on
        from the cache. Raises `PoseGenError` when no photo has a mask, or one cannot be written.
        """
        outlines: dict[Path, Outline] = {}
        owners: dict[str, Path] = {}
        waiting: list[tuple[Path, str]] = []
        for number, photo in enumerate(photos):
            progress("segmenting", number, len(photos))
            owner = owners.setdefault(photo.with_suffix("").as_posix().casefold(), photo)
            if owner is not photo:
                outlines[photo] = Outline(photo, None, reason=f"another has its name: {owner}")
                continue
            try:
                key = self.cache.key(read_bytes(self.root / photo))
            except PoseGenError as error:
                outlines[photo] = self._unreadable(photo, error)
                continue
            found = self.cache.read(key)
            if found is None:
                waiting.append((photo, key))
            else:
                outlines[photo] = self._written(photo, found, cached=True)
            if len(waiting) == self.batch:
                outlines.update((each.photo, each) for each in self._segmented(waiting))
                waiting = []
        outlines.update((each.photo, each) for each in self._segmented(waiting))
        ordered = [outlines[photo] for photo in photos]
        if not any(each.mask for each in ordered):
            raise PoseGenError(
                f"{self.root}: none of the {len(ordered)} photos has a silhouette; the first, "
                f"{ordered[0].photo}: {ordered[0].reason}"
            )
        return ordered

    def _segmented(self, waiting: Sequence[tuple[Path, str]]) -> Iterator[Outline]:
        readable = []
        for photo, key in waiting:
            try:
                readable.append((photo, key, read_rgb(self.root / photo)))
            except PoseGenError as error:
                yield self._unreadable(photo, error)
        if not readable:
            return
        results = self.segmenter.find([rgb for _, _, rgb in readable])
        for (photo, key, _), found in zip(readable, results, strict=True):
            self.cache.write(key, found)
            yield self._written(photo, found, cached=False)

    def _written(self, photo: Path, found: Found, cached: bool) -> Outline:
        mask = photo.with_suffix(".png")
        file = self.out / mask
        if found.mask is None:
            file.unlink(missing_ok=True)  # of a run before the photo was changed
            return Outline(photo, None, reason=found.reason, cached=cached)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_png(file, found.mask)
        share = cv2.countNonZero(found.mask) / found.mask.size
        return Outline(photo, mask, found.score, share, cached=cached)

    def _unreadable(self, photo: Path, error: PoseGenError) -> Outline:
        (self.out / photo.with_suffix(".png")).unlink(missing_ok=True)
        return Outline(photo, None, reason=str(error).removeprefix(f"{self.root / photo}: "))


def write_manifest(file: Path, outlines: Sequence[Outline]) -> None:
    """A line for each photo: its mask, score and share, or why there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", "mask", "score", "share", "reason"])
    for each in outlines:
        figures = [f"{each.score:.4f}", f"{each.share:.4f}"] if each.mask else ["", ""]
        mask = each.mask.as_posix() if each.mask else ""
        writer.writerow([each.photo.as_posix(), mask, *figures, each.reason])
    write_atomic(file, text.getvalue().encode("utf-8", "surrogateescape"))


def report(outlines: Sequence[Outline], out: Path) -> list[str]:
    """Lines for the user; the first one's counts add up."""
    without = [each for each in outlines if each.mask is None]
    cached = sum(each.cached for each in outlines)
    lines = [
        f"{out}: {len(outlines)} photos, {len(outlines) - len(without)} silhouettes, "
        f"{len(without)} without; {cached} known from before"
    ]
    reasons = Counter(each.reason.split(":")[0] for each in without)
    lines += [f"without, {count}: {reason}" for reason, count in reasons.most_common()]
    return lines + [f"  {each.photo}: {each.reason}" for each in without[:_LISTED]]
