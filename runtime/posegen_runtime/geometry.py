"""One transform for each job moves mask, background, camera and labels alike.

A window of whole source pixels is cut out and resized to the model's size, so the transform is
exact: ``u' = sx·u + tx``, ``v' = sy·v + ty`` in continuous pixel coordinates, where pixel i covers
[i, i+1) (the "half" convention).
"""

import math

import cv2
import msgspec
import numpy as np

from posegen_runtime.choices import Fit
from posegen_runtime.errors import MaskRejected
from posegen_runtime.imagefile import MAX_PIXELS
from posegen_runtime.images import cover_crop, resize

DEFAULT_MARGIN = 0.2
"""Room on each side of the silhouette's box under ``object``, as a share of the box."""
SMALL_OBJECT = 1 / 3
"""Under ``auto``, a box shorter than this share of the frame is cropped to."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a source frame lands in the model's. Sizes are (height, width) in pixels."""

    fit: Fit
    source_size: tuple[int, int]
    target_size: tuple[int, int]
    window: tuple[int, int, int, int]
    """x0, y0, x1, y1 in source pixels; reaches outside the frame only where it is larger."""

    @property
    def sx(self) -> float:
        return self.target_size[1] / (self.window[2] - self.window[0])

    @property
    def sy(self) -> float:
        return self.target_size[0] / (self.window[3] - self.window[1])

    @property
    def tx(self) -> float:
        return -self.window[0] * self.sx

    @property
    def ty(self) -> float:
        return -self.window[1] * self.sy

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Mask uint8 [H, W] in {0, 255} → uint8 [h, w] in {0, 255}; outside the frame is black.

        Shares are averaged by area (linearly where it grows), and half or more is object.
        Raises `MaskRejected` when nothing is left of the object.
        """
        self._check_size(mask)
        grey = resize(self._cut(mask, cv2.BORDER_CONSTANT), self.target_size)
        placed = cv2.threshold(grey, 127, 255, cv2.THRESH_BINARY)[1]
        if not placed.any():
            height, width = self.target_size
            advice = "" if self.fit is Fit.OBJECT else "; use --fit object"
            raise MaskRejected(
                f"the object is too thin or small to be seen at {width}×{height}{advice}"
            )
        return placed

    def background(self, rgb: np.ndarray) -> np.ndarray:
        """Background uint8 [H, W, 3] → uint8 [h, w, 3].

        One of the mask's own size gets the mask's window, reflected where the window is larger
        than the frame. Any other is cover-cropped (`images.cover_crop`), never padded.
        """
        if rgb.shape[:2] != self.source_size:
            return cover_crop(rgb, self.target_size)
        return resize(self._cut(rgb, cv2.BORDER_REFLECT), self.target_size)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Source points [..., 2] (x, y) in the half convention → target points, float64."""
        return np.asarray(points, float) * (self.sx, self.sy) + (self.tx, self.ty)

    def camera(self, cam_k: np.ndarray, pixel_center: str) -> np.ndarray:
        """Camera matrix [3, 3] of the source frame → of the target frame, float64; skew is kept.

        ``pixel_center`` is the convention of both: "half" or "integer" (c_half = c_integer + 0.5).
        """
        shift = {"half": 0.0, "integer": 0.5}[pixel_center]
        # x' = A·x in the half convention; "integer" goes there and back.
        affine = np.array(
            [
                [self.sx, 0.0, self.tx + shift * self.sx - shift],
                [0.0, self.sy, self.ty + shift * self.sy - shift],
                [0.0, 0.0, 1.0],
            ]
        )
        return affine @ np.asarray(cam_k, float).reshape(3, 3)

    def _check_size(self, mask: np.ndarray) -> None:
        if mask.shape != self.source_size:
            raise ValueError(f"mask of shape {mask.shape} placed as one of {self.source_size}")

    def _cut(self, pixels: np.ndarray, border: int) -> np.ndarray:
        """The window, with the border it needs outside the frame."""
        height, width = self.source_size
        x0, y0, x1, y1 = self.window
        inside = pixels[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
        sides = max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0)
        return cv2.copyMakeBorder(inside, *sides, border) if any(sides) else inside


def place(
    mask: np.ndarray, size: tuple[int, int], fit: Fit = Fit.AUTO, margin: float = DEFAULT_MARGIN
) -> Placement:
    """Where a mask uint8 [H, W] in {0, 255} goes in a frame of ``size`` = (height, width).

    ``stretch`` takes the whole frame to the target whatever its aspect. ``frame`` takes the
    smallest window of the target's aspect that holds the frame. ``object`` takes the silhouette's
    box with a margin, in the target's aspect; the margin shrinks and the window moves before
    either leaves the frame, so a background is padded only where the object itself is too large.

    Raises `MaskRejected` when the mask is empty, or so long and thin that the window would hold
    more than `imagefile.MAX_PIXELS`.
    """
    height, width = mask.shape
    left, top, box_width, box_height = cv2.boundingRect(mask)
    if box_width == 0:
        raise MaskRejected("the mask is empty: no pixel is object")
    if fit is Fit.AUTO:
        same_aspect = width * size[0] == height * size[1]
        is_small = max(box_width / width, box_height / height) < SMALL_OBJECT
        fit = Fit.FRAME if same_aspect and not is_small else Fit.OBJECT
    if fit is Fit.STRETCH:
        window = (0, 0, width, height)
    elif fit is Fit.FRAME:
        window = _window((0, 0, width, height), _cover(width, height, size), (width, height))
    else:
        window = _object_window((left, top, box_width, box_height), (width, height), size, margin)
    _check_window(window, fit)
    return Placement(fit=fit, source_size=(height, width), target_size=size, window=window)


def _check_window(window: tuple[int, int, int, int], fit: Fit) -> None:
    """A line of 1×60,000 pixels has few, but the square around it, which is filled up, has not."""
    width, height = window[2] - window[0], window[3] - window[1]
    if width * height > MAX_PIXELS:
        what = "object" if fit is Fit.OBJECT else "frame"
        raise MaskRejected(
            f"the {what} is too long and thin: {width}×{height} pixels would be needed around it; "
            "use --fit stretch"
        )


def _object_window(
    box: tuple[int, int, int, int],
    frame: tuple[int, int],
    size: tuple[int, int],
    margin: float,
) -> tuple[int, int, int, int]:
    needed = _cover(box[2], box[3], size)
    wanted = _cover(
        math.ceil(box[2] * (1 + 2 * margin)), math.ceil(box[3] * (1 + 2 * margin)), size
    )
    # The largest window inside the frame, then the smallest around it: first comes the one
    # that still holds the object.
    limits = _inscribed(*frame, size), _cover(*frame, size)
    limit = limits[0] if needed[0] <= limits[0][0] and needed[1] <= limits[0][1] else limits[1]
    return _window(box, min(wanted, limit), frame)


def _cover(width: int, height: int, size: tuple[int, int]) -> tuple[int, int]:
    """Smallest whole (width, height) of the aspect of ``size`` that holds the given one."""
    return (
        max(width, math.ceil(height * size[1] / size[0])),
        max(height, math.ceil(width * size[0] / size[1])),
    )


def _inscribed(width: int, height: int, size: tuple[int, int]) -> tuple[int, int]:
    """Largest whole (width, height) of the aspect of ``size`` inside the given one."""
    return (
        max(1, min(width, height * size[1] // size[0])),
        max(1, min(height, width * size[0] // size[1])),
    )


def _window(
    box: tuple[int, int, int, int], window: tuple[int, int], frame: tuple[int, int]
) -> tuple[int, int, int, int]:
    """A window of (width, height) around the middle of a box, moved into the frame if it fits."""
    x0, x1 = _span(box[0], box[2], window[0], frame[0])
    y0, y1 = _span(box[1], box[3], window[1], frame[1])
    return x0, y0, x1, y1


def _span(start: int, length: int, window: int, frame: int) -> tuple[int, int]:
    if window > frame:
        first = (frame - window) // 2
    else:
        first = min(max(start + (length - window) // 2, 0), frame - window)
    return first, first + window
