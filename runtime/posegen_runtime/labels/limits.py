"""Which pixels of an image its camera's frame reaches."""

from typing import NamedTuple

from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.ledger.entries import ImageData


class Rectangle(NamedTuple):
    """Pixels, with integer centres: of one pixel both ends are the same."""

    left: float
    top: float
    right: float
    bottom: float


def limits_of(data: ImageData) -> Rectangle:
    """A crop may be wider than the frame that it was cut out of. `data` has a mask."""
    assert data.coco is not None
    height, width = data.coco.size
    place = data.placement
    sizes = [tuple(place.get(name, ())) for name in ("source_size", "target_size")]
    if sizes[0] == (height, width) or sizes[1] != (height, width):  # the frame itself
        return Rectangle(0, 0, width - 1, height - 1)
    rows, columns = place["source_size"]
    return Rectangle(
        max(0.0, place["tx"]),
        max(0.0, place["ty"]),
        min(width, place["tx"] + place["sx"] * columns) - 1,
        min(height, place["ty"] + place["sy"] * rows) - 1,
    )


def box_around(mask: CocoMask) -> Rectangle:
    x, y, width, height = mask.bbox
    return Rectangle(x, y, x + width - 1, y + height - 1)
