"""The golden set of a bundle: inputs, and the images that PyTorch made from them at export."""

import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import Feeds
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb
from posegen_runtime.masks import MaskChannel, MaskReading, MaskValues
from posegen_runtime.noise import gated
from posegen_runtime.viewpoints import UNKNOWN

GOLDEN_MASKS = MaskReading(values=MaskValues.HALF, channel=MaskChannel.LUMA)
"""How golden masks are stored: {0, 255}."""


def golden_set(bundle: Bundle, precision: str) -> tuple[Feeds, npt.NDArray[np.uint8]]:
    """Inputs of the generator that the gate of `precision` counts, and PyTorch's images of them.

    Inputs by name: `mask` uint8 [N, H, W], images uint8 [N, H, W, 3], `viewpoint` float32 [N, 3];
    those that the model takes. PyTorch's images are uint8 [N, H, W, 3]. Raises `PoseGenError` when
    the bundle has none, or a file cannot be read.
    """
    every = [(_mask(bundle, row.mask), row) for row in bundle.manifest.golden]
    counted = [(mask, row) for mask, row in every if gated(mask, precision)]
    if not counted:
        raise PoseGenError(f"{bundle.root}: has no golden set to test with; export it again")
    masks, rows = [mask for mask, _ in counted], [row for _, row in counted]
    feeds: Feeds = {"mask": np.stack(masks)}
    for name in bundle.conditions:
        paths = [getattr(row, name) or bundle.manifest.defaults.get(name) for row in rows]
        feeds[name] = np.stack([_photo(bundle, name, path) for path in paths])
    if bundle.takes_viewpoint:
        feeds["viewpoint"] = np.array([row.viewpoint or UNKNOWN for row in rows], np.float32)
    return feeds, np.stack([_photo(bundle, "image", row.image) for row in rows])


def _mask(bundle: Bundle, path: str) -> npt.NDArray[np.uint8]:
    mask = GOLDEN_MASKS.read(bundle.path(path))[0].mask
    return _of_its_size(bundle, path, mask)


def _photo(bundle: Bundle, name: str, path: str | None) -> npt.NDArray[np.uint8]:
    if path is None:
        raise PoseGenError(
            f"{bundle.root}: a golden input has no {name}, nor has the bundle a default; "
            "export it again"
        )
    return _of_its_size(bundle, path, read_rgb(bundle.path(path)))


def _of_its_size(bundle: Bundle, path: str, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    (height, width), (needed_height, needed_width) = pixels.shape[:2], bundle.image_size
    if (height, width) != bundle.image_size:
        raise PoseGenError(
            f"{bundle.path(path)}: is {width}×{height} pixels, the model's images are "
            f"{needed_width}×{needed_height}; export the bundle again"
        )
    return pixels
