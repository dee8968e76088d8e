"""Does a generated image show what its label says? Judges look at each one before it is written."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np

from posegen_runtime.judges import Heading, Segmenter
from posegen_runtime.poses import Three
from posegen_runtime.rows import Images, Prepared
from posegen_runtime.verdicts import Verdict, at_size, compared

NOTHING = "nothing was found in the image"
ELSEWHERE = "the object in the image does not fill its mask (IoU below --min-iou)"
TURNED = "the object in the image faces the wrong way (heading more than 90° off)"

REVERSED = 90.0
"""Degrees of heading error above which an image faces the wrong way."""
STEEP = 0.1
"""Seen from so near to straight above or below (horizontal part of the viewpoint), an object heads
nowhere."""
MEASURE_ONLY = 0.0
"""A lowest IoU with which nothing is rejected, whatever the heading."""
PIECE = 4
"""Images that a helper takes at a time."""


class Verifier:
    """Looks at generated images; safe to use from several threads.

    An image's verdict is the same whatever others it comes with. `viewpoints` by the mask's name,
    in the frame that the heading judge was trained with; a mask without one is judged by its
    silhouette alone. `helpers`: threads that share the images of a call; with 0 the caller does
    all. With `min_iou` 0 every image is accepted, headings and all.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        min_iou: float,
        heading: Heading | None = None,
        viewpoints: Mapping[str, Three] | None = None,
        helpers: int = 0,
    ) -> None:
        self._segmenter = segmenter
        self._min_iou = min_iou
        self._heading = heading
        self._viewpoints = viewpoints or {}
        self._pool = ThreadPoolExecutor(helpers, "verify") if helpers else None

    def __call__(self, prepared: Sequence[Prepared], images: Images) -> list[Verdict]:
        """One verdict for each image, uint8 RGB [N, H, W, 3], in their order."""
        if self._pool is None:
            return self._judge(prepared, images)
        starts = range(0, len(prepared), PIECE)
        pieces = self._pool.map(
            self._judge,
            [prepared[start : start + PIECE] for start in starts],
            [images[start : start + PIECE] for start in starts],
        )
        return [verdict for piece in pieces for verdict in piece]

    def close(self) -> None:
        """End the helpers. May be called twice."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def _judge(self, prepared: Sequence[Prepared], images: Images) -> list[Verdict]:
        found = self._segmenter.masks(images) > 127
        errors = self._heading_errors(prepared, images)
        size = self._segmenter.manifest.image_size
        return [
            self._decided(compared(at_size(one.mask, size), silhouette, error))
            for one, silhouette, error in zip(prepared, found, errors, strict=True)
        ]

    def _heading_errors(self, prepared: Sequence[Prepared], images: Images) -> list[float | None]:
        """In degrees; None where no heading is known."""
        true = [self._azimuth(one.own_mask) for one in prepared]
        known = [row for row, angle in enumerate(true) if angle is not None]
        if self._heading is None or not known:
            return [None] * len(true)
        said = dict(zip(known, self._heading.angles(images[known]).tolist(), strict=True))
        return [
            None if angle is None else heading_error(said[row], angle)
            for row, angle in enumerate(true)
        ]

    def _azimuth(self, mask: str) -> float | None:
        x, y, _ = self._viewpoints.get(mask, (0.0, 0.0, 0.0))
        return float(np.arctan2(y, x)) if np.hypot(x, y) > STEEP else None

    def _decided(self, verdict: Verdict) -> Verdict:
        error, reason = verdict.heading_error_deg, ""
        if self._min_iou == MEASURE_ONLY:
            return verdict
        if verdict.iou < self._min_iou:
            reason = NOTHING if verdict.shift is None else ELSEWHERE
        elif error is not None and error > REVERSED:
            reason = TURNED
        return msgspec.structs.replace(verdict, reason=reason)


def heading_error(found: float, true: float) -> float:
    """Difference of two angles in radians the short way round, in degrees, 0..180."""
    return float(np.degrees(np.abs(np.angle(np.exp(1j * (found - true))))))
