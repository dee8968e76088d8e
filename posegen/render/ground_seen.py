"""Which parts of a square of ground the camera sees: what it does not see need not be painted."""

from dataclasses import dataclass

import numpy as np

from posegen.render.model import Floats

_STRIP = 64
"""Rows of a piece."""
_MARGIN = 16
"""Pixels that a piece is larger than what is seen: soft copies of a sheet take in neighbours."""
_ENDLESS = 1e6
"""Pixels beyond which ground counts as lying at the horizon."""


@dataclass(frozen=True)
class Piece:
    """A rectangle of a sheet: rows and columns, each from the first to before the last."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def around(pieces: list[Piece]) -> Piece:
    """The rectangle about all of them."""
    return Piece(
        min(piece.top for piece in pieces),
        max(piece.bottom for piece in pieces),
        min(piece.left for piece in pieces),
        max(piece.right for piece in pieces),
    )


def seen_pieces(to_sheet: Floats, width: int, height: int, size: int, endless: bool) -> list[Piece]:
    """Pieces of a sheet of `size` pixels along each side that an image can show; they do not
    overlap but for single pixels.

    Args:
        to_sheet: [3, 3] from the image's pixels to the sheet's (homogeneous), positive third
            part: before the camera.
        width, height: of the image in pixels.
        endless: whether the ground beyond the sheet goes on as at its edge.
    """
    room = _ENDLESS if endless else 2.0
    x, y = np.array([-1, width, width, -1]), np.array([-1, -1, height, height])
    outline = _clipped(np.stack([x, y, np.ones(4)], axis=1) @ to_sheet.T, room, size)
    if len(outline) < 3:
        return []
    starts = np.arange(0, size, _STRIP, dtype=float)
    low, high = starts - _MARGIN, starts + _STRIP + _MARGIN
    # What lies beyond the sheet is shown by its edge.
    low[0], high[-1] = -_ENDLESS - size, _ENDLESS + size
    left, right = _span(outline, low[:, None], high[:, None])
    columns = np.clip([np.floor(left) - _MARGIN, np.ceil(right) + _MARGIN + 1], 0, size - 1)
    pieces = [
        Piece(int(start), min(int(start) + _STRIP, size), int(first), int(last) + 1)
        for start, first, last, seen in zip(starts, *columns, left <= right, strict=True)
        if seen
    ]
    if endless and np.abs(outline).max() > _ENDLESS / 2:
        # At the horizon itself rounding decides whether a direction or its opposite is looked up.
        ends = (0, size - 1)
        pieces += [Piece(y, y + 1, x, x + 1) for y in ends for x in ends]
    return pieces


def _clipped(corners: Floats, room: float, size: int) -> Floats:
    """Homogeneous corners [N, 3] of a convex outline, cut off `room` pixels round a sheet: [M, 2],
    plain. What lies behind the camera goes."""
    for side in ((1, 0, room), (-1, 0, size + room), (0, 1, room), (0, -1, size + room)):
        inside = corners @ np.array(side)
        kept = []
        for index, (here, before) in enumerate(zip(inside, np.roll(inside, 1), strict=True)):
            if (here >= 0) != (before >= 0):
                share = before / (before - here)
                kept.append(corners[index - 1] + share * (corners[index] - corners[index - 1]))
            if here >= 0:
                kept.append(corners[index])
        corners = np.reshape(kept, (-1, 3))
    return corners[:, :2] / corners[:, 2:]


def _span(outline: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Least and greatest x [S] of a convex outline [N, 2] between y = low and high [S, 1]; the
    least is greater where there is nothing."""
    (x0, y0), (x1, y1) = outline.T, np.roll(outline, -1, axis=0).T
    step = np.where(y0 == y1, 1, y1 - y0)
    ends = [x0 + np.clip((level - y0) / step, 0, 1) * (x1 - x0) for level in (low, high)]
    beside = (np.maximum(y0, y1) < low) | (np.minimum(y0, y1) > high)
    least = np.where(beside, np.inf, np.minimum(*ends)).min(axis=1)
    return least, np.where(beside, -np.inf, np.maximum(*ends)).max(axis=1)
