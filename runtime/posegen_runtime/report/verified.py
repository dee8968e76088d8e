"""What judges found on the images of a run: figures, the worst, and the control."""

import hashlib
import heapq
from collections import Counter

import numpy as np

from posegen_runtime.report.histogram import Histogram
from posegen_runtime.report.rows import ReportRow
from posegen_runtime.report.sample import Sample
from posegen_runtime.verdicts import Seen, Verdict

WORST, TURNED = 32, 8
"""Images shown of the lowest IoU, and of the largest heading error."""
KEPT = 2
"""Times as many are kept: some of the files may be gone."""
SAMPLED = 2000
"""Images that the control is taken from."""
WRONG = 90.0

Ranked = tuple[float, int, ReportRow]


class Verified:
    """Added up row by row, in fixed memory."""

    def __init__(self, seed: int) -> None:
        self.iou = Histogram(0.0, 1.0)
        self.heading = Histogram(0.0, 180.0)
        self.wrong = 0
        self._low = _Largest(KEPT * WORST)
        self._turned = _Largest(KEPT * TURNED)
        self._pairs: Sample[tuple[str, Seen]] = Sample(SAMPLED, seed)

    @property
    def count(self) -> int:
        return self.iou.count

    def add(self, place: int, row: ReportRow, verdict: Verdict) -> None:
        """`place`: of the row in the run."""
        self.iou.add(verdict.iou, row.state)
        self._low.add(-verdict.iou, place, row)
        error = verdict.heading_error_deg
        if error is not None:
            self.heading.add(error, row.state)
            if error > WRONG:
                self.wrong += 1
                self._turned.add(error, place, row)
        if verdict.seen is not None:
            self._pairs.add((row.mask, verdict.seen))

    def worst(self) -> list[tuple[int, ReportRow]]:
        """Those of the lowest IoU, the lowest first."""
        return self._low.rows()

    def turned(self) -> list[tuple[int, ReportRow]]:
        """Those that face the wrong way, the largest error first."""
        return self._turned.rows()

    def control(self) -> Histogram | None:
        """IoU of what was found in images of a sample with the silhouettes of others, never with a
        variation of the same mask. None where half of them show one mask."""
        # Neighbours by name may be alike, as the frames of a film are.
        kept = sorted((_scattered(mask), seen) for _, (mask, seen) in self._pairs.shuffled())
        largest = max(Counter(mask for mask, _ in kept).values(), default=0)
        if not kept or 2 * largest > len(kept):
            return None
        ious = Histogram(0.0, 1.0)
        for number, (_, seen) in enumerate(kept):
            # Of a mask there are at most `largest`, side by side: a step so far leaves them.
            other = kept[(number + largest) % len(kept)][1]
            if other.size == seen.size:
                ious.add(_overlap(other.asked, seen.found, seen.size), "control")
        return ious if ious.count else None


class _Largest:
    """The rows of the highest ranks; of equal ones the earlier."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._heap: list[Ranked] = []

    def add(self, rank: float, place: int, row: ReportRow) -> None:
        item = rank, -place, row
        if len(self._heap) < self._count:
            heapq.heappush(self._heap, item)
        elif item[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, item)

    def rows(self) -> list[tuple[int, ReportRow]]:
        return [(-place, row) for _, place, row in sorted(self._heap, key=lambda i: (-i[0], -i[1]))]


def silhouette(runs: str, size: int) -> np.ndarray:
    """uint8 [size, size] with 255 on the object."""
    from pycocotools import mask as coco

    return 255 * np.asarray(coco.decode({"counts": runs.encode(), "size": [size, size]}))


def _scattered(mask: str) -> bytes:
    """Of equal masks the same, of others in an order that has nothing to do with their names."""
    return hashlib.sha256(mask.encode(errors="surrogatepass")).digest()


def _overlap(asked: str, found: str, size: int) -> float:
    from pycocotools import mask as coco

    one, other = ({"counts": runs.encode(), "size": [size, size]} for runs in (asked, found))
    return float(coco.iou([one], [other], [0])[0, 0])
