"""Masks that a segmenter finds while a data set is made."""

from collections.abc import Callable, Sequence
from pathlib import Path

from posegen.data.photo_checks import Dropped
from posegen.data.silhouettes import MANIFEST, Folder, Outline, write_manifest
from posegen_runtime.choices import MaskChannel
from posegen_runtime.masks import MaskReading, MaskValues

SILHOUETTES = "silhouettes"
"""Folder of a data set for the masks as they were found, of the photos' size."""


class Segmented:
    """The masks below `root` of photos, or why they have none."""

    def __init__(self, root: Path, outlines: Sequence[Outline]) -> None:
        self._root = root
        self._outlines = {each.photo: each for each in outlines}

    def of(self, photo: Path) -> list[Path]:
        """One file. Raises `Dropped` with the reason why there is none."""
        outline = self._outlines[photo]
        if outline.mask is None:
            raise Dropped(outline.reason)
        return [self._root / outline.mask]


def segmented(
    folder: Folder, photos: Sequence[Path], progress: Callable[[str, int, int], None]
) -> tuple[Segmented, MaskReading]:
    """Find the masks of photos, paths below the folder's root, and how they are to be read.

    Beside the masks a list is written. Raises `PoseGenError` when no photo has one.
    """
    outlines = folder.find(photos, progress)
    write_manifest(folder.out / MANIFEST, outlines)
    reading = MaskReading(values=MaskValues.HALF, channel=MaskChannel.LUMA)
    return Segmented(folder.out, outlines), reading
