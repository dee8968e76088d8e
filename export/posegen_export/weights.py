"""Do the weights move the output? On weights that do not, a broken graph passes every gate."""

from itertools import combinations

import msgspec
import numpy as np
import numpy.typing as npt

from posegen.models import Generator
from posegen_export.inputs import Feeds, Inputs
from posegen_export.reference import reference_images

MIN_OUTPUT_STD = 30.0
MIN_MASK_DIFFERENCE = 10.0
MIN_VIEWPOINT_DIFFERENCE = 1.0
PAIRED_MASKS = 8
"""Real masks of which every pair is compared under the same conditions."""


class WeightFigures(msgspec.Struct, frozen=True, kw_only=True):
    """In levels. `mask_difference` is the mean difference of the images of two masks inside their
    union, averaged over pairs; `condition_difference` that of two appearances (backgrounds) under
    the same mask, over the whole image. The latter is recorded; no bound holds it.
    `viewpoint_difference`: of front and rear under the same mask, inside it; None for a model that
    takes no viewpoint."""

    output_std: float
    mask_difference: float
    condition_difference: dict[str, float]
    viewpoint_difference: float | None = None

    def missed(self) -> list[str]:
        """One line for each condition missed (design, section 4)."""
        bounds = {
            "output_std": (self.output_std, MIN_OUTPUT_STD),
            "mask_difference": (self.mask_difference, MIN_MASK_DIFFERENCE),
        }
        if self.viewpoint_difference is not None:
            bounds["viewpoint_difference"] = (self.viewpoint_difference, MIN_VIEWPOINT_DIFFERENCE)
        return [
            f"{name} {value:.1f} levels, must be at least {bound:g}"
            for name, (value, bound) in bounds.items()
            if value < bound
        ]


def measure_weights(generator: Generator, inputs: Inputs) -> WeightFigures:
    """Spread of the images of all `inputs`, and how far each input alone changes them."""
    names = generator.config.inputs
    images = reference_images(generator, inputs.feeds(names, range(len(inputs.masks))))
    feeds = inputs.feeds(names, [0] * min(inputs.real, PAIRED_MASKS))
    feeds["mask"] = inputs.masks[: len(feeds["mask"])]
    under_same = reference_images(generator, feeds)
    changed = {name: _changed(inputs, feeds, name) for name in generator.config.variant.inputs[1:]}
    return WeightFigures(
        output_std=float(images.std()),
        mask_difference=_mask_difference(under_same, feeds["mask"] > 127),
        condition_difference={
            name: float(
                np.abs(under_same.astype(np.int16) - reference_images(generator, other)).mean()
            )
            for name, other in changed.items()
        },
        viewpoint_difference=(
            _viewpoint_difference(generator, feeds) if "viewpoint" in names else None
        ),
    )


def _viewpoint_difference(generator: Generator, feeds: Feeds) -> float:
    """Front against rear, at the height of the object."""
    count = len(feeds["mask"])
    front, rear = (
        reference_images(
            generator, {**feeds, "viewpoint": np.tile(np.array([x, 0, 0], np.float32), (count, 1))}
        ).astype(np.int16)
        for x in (1, -1)
    )
    return float(np.abs(front - rear)[feeds["mask"] > 127].mean())


def _changed(inputs: Inputs, feeds: Feeds, name: str) -> Feeds:
    """`feeds` with another appearance or background for every mask."""
    pool = inputs.appearances if name == "appearance" else inputs.backgrounds
    return {**feeds, name: np.repeat(pool[1:2], len(feeds["mask"]), axis=0)}


def _mask_difference(images: npt.NDArray[np.uint8], silhouettes: npt.NDArray[np.bool_]) -> float:
    """Mean over pairs; no pair, no difference."""
    levels = images.astype(np.int16)
    differences = [
        np.abs(levels[i] - levels[j])[silhouettes[i] | silhouettes[j]].mean()
        for i, j in combinations(range(len(levels)), 2)
    ]
    return float(np.mean(differences)) if differences else 0.0
