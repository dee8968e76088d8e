"""A backend that computes nothing: what a run costs besides inference can be measured with it."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import Arrays, Kept

SHOWN = ("background", "appearance")
"""Which condition the images show: photos, so that encoding them costs what it does."""


class NullBackend:
    """Images are the condition with the mask's colours turned round, or the mask itself."""

    batches = 1
    on_device = None
    description = "null: computes nothing"

    def run(
        self, feeds: Arrays, kept: Sequence[Kept] = (), out: Arrays | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """``image``, uint8 [N, H, W, 3], of a graph with masks; else its inputs as they are."""
        if "mask" not in feeds:
            return dict(feeds)
        masks = feeds["mask"]
        images = out["image"] if out else np.empty((*masks.shape, 3), np.uint8)
        for row, mask in enumerate(masks):
            photo = _photo(kept[row if len(kept) > 1 else 0].held) if kept else None
            turned = cv2.merge([mask, mask, mask])
            images[row] = turned if photo is None else cv2.bitwise_xor(photo, turned)
        return {"image": images}

    def keep(self, arrays: Arrays) -> Kept:
        return Kept(sum(array.nbytes for array in arrays.values()), dict(arrays))


def _photo(held: Arrays) -> npt.NDArray[np.uint8] | None:
    return next((held[name][0] for name in SHOWN if name in held), None)
