"""One generated crop goes into its full-size frame, and leaves no seam.

Outside the silhouette the frame keeps its own pixels, and only what the generator changed there is
added, such as a shadow: the generated crop minus the background that the generator saw, times a
window that fades to nothing at the crop's border. Inside stands the generated object, cut out by
the silhouette in the frame's full resolution.
"""

import cv2
import numpy as np
import numpy.typing as npt

from posegen_runtime.geometry import Placement

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

FADE = 0.12
"""Share of the crop's side over which changes of the background fade out."""
SOFT = 0.7
"""Standard deviation in frame pixels of the silhouette's edge, as a lens would blur it."""
REACH = 2.0
"""Standard deviation in crop pixels of the filter that continues colours over the edge."""
FAINT = 1e-4


def paste(
    frame: Image,
    silhouette: Image,
    crop_mask: Image,
    placement: Placement,
    image: Image,
    seen: Image,
) -> None:
    """Paint one object into `frame`, uint8 RGB [H, W, 3], in place.

    Args:
        silhouette: uint8 [y1-y0, x1-x0] in {0, 255}, full resolution, cut out by the window.
        crop_mask: uint8 [h, w] in {0, 255}, what the generator saw of it.
        image: uint8 RGB [h, w, 3], generated. seen: the same of the background that it was given.

    Nothing outside `placement.window` changes; what of that lies outside the frame is dropped.
    """
    x0, y0, x1, y1 = placement.window
    size = y1 - y0, x1 - x0
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x1, frame.shape[1]), min(y1, frame.shape[0])
    inside = slice(top - y0, bottom - y0), slice(left - x0, right - x0)
    colours, change = (_resized(layer, size)[inside] for layer in _layers(crop_mask, image, seen))
    alpha = cv2.GaussianBlur(silhouette, (0, 0), SOFT).astype(np.float32)[inside][..., None] / 255
    under = frame[top:bottom, left:right].astype(np.float32)
    under += change * _fade(placement)[inside][..., None]
    under += alpha * (colours - under)
    frame[top:bottom, left:right] = np.rint(np.clip(under, 0, 255))


def _layers(mask: Image, image: Image, seen: Image) -> tuple[Floats, Floats]:
    """The object's colours and the change of its background, float32 [h, w, 3] each.

    Pixels on the silhouette's edge hold a mixture of both. Enlarged, it would be a rim around the
    object; so each layer is continued over the edge from its own side.
    """
    made = image.astype(np.float32)
    around = np.ones((3, 3), np.uint8)
    inside = cv2.erode(mask, around, borderType=cv2.BORDER_REPLICATE) > 0
    outside = cv2.dilate(mask, around) == 0
    # What is too thin to have an inside keeps what its pixels hold.
    weight = np.where(mask > 0, np.float32(0.01), np.float32(0)) + inside
    return (
        _continued(made, weight, inside),
        _continued(made - seen, outside.astype(np.float32), outside),
    )


def _continued(layer: Floats, weight: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """The layer where it is `known`, elsewhere the weighted mean around; 0 far from any."""
    total = cv2.GaussianBlur(weight, (0, 0), REACH)[..., None]
    mean = cv2.GaussianBlur(layer * weight[..., None], (0, 0), REACH) / np.maximum(total, FAINT)
    return np.where(known[..., None], layer, mean)


def _resized(layer: Floats, size: tuple[int, int]) -> Floats:
    """By area where it shrinks, by cubic splines where it grows."""
    height, width = layer.shape[:2]
    shrinks = size[0] < height or size[1] < width
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(layer, (size[1], size[0]), interpolation=kind), np.float32)


def _fade(placement: Placement) -> Floats:
    """float32 [y1-y0, x1-x0]: 1 in the middle of the window, 0 on its border. Where that is the
    frame's border, there is nothing to fade to."""
    x0, y0, x1, y1 = placement.window
    height, width = placement.source_size
    across = _ramp(x1 - x0, x0 > 0, x1 < width)
    down = _ramp(y1 - y0, y0 > 0, y1 < height)
    return np.outer(down, across)


def _ramp(length: int, first: bool, last: bool) -> Floats:
    """float32 [length] that rises from 0 at the first end and falls to 0 at the last one."""
    steps = np.arange(length, dtype=np.float32) / max(1.0, FADE * length)
    ramp = np.ones(length, np.float32)
    if first:
        ramp = np.minimum(ramp, steps)
    if last:
        ramp = np.minimum(ramp, steps[::-1])
    return ramp * ramp * (3 - 2 * ramp)
