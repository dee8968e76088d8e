"""The networks that look at generated images; each may be missing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen_runtime.errors import PoseGenError


class MaskJudge(Protocol):
    def masks(self, images: Pixels) -> Pixels:
        """Images uint8 [N, S, S, 3] → silhouettes uint8 [N, s, s] in {0, 255}, s its own size."""
        ...


class HeadingJudge(Protocol):
    def angles(self, images: Pixels) -> NDArray[np.float64]:
        """Images uint8 [N, S, S, 3], or masks [N, S, S] → azimuths in radians [N]."""
        ...


@dataclass(frozen=True)
class Judges:
    """`segmenter` and `heading` look at images, `outline` at the masks alone, for comparison."""

    segmenter: MaskJudge | None = None
    heading: HeadingJudge | None = None
    outline: HeadingJudge | None = None


def open_judges(folder: Path | None, threads: int = 1) -> Judges:
    """The judges in the sub-folders segmenter, heading and outline; None: those that ship.

    Raises `PoseGenError` when one of them is damaged or of another kind, and when a folder was
    named that holds none.
    """
    from posegen_runtime.judges import Heading, Segmenter, shipped_judges

    root = shipped_judges() if folder is None else folder
    held = {name for name in ("segmenter", "heading", "outline") if (root / name).is_dir()}
    if folder is not None and not held:
        raise PoseGenError(
            f"{folder}: no judges there; name a folder with segmenter/, heading/ or outline/"
        )
    return Judges(
        segmenter=Segmenter(root / "segmenter", threads) if "segmenter" in held else None,
        heading=Heading(root / "heading", threads) if "heading" in held else None,
        outline=Heading(root / "outline", threads) if "outline" in held else None,
    )
