"""All metrics of one way to make images: a row of the paper's Tables 1 and 2."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from posegen.evaluation.statistics import intervals, mean
from posegen.metrics.distances import (
    KID_SUBSET_SIZE,
    SPLITS,
    cosine,
    inception_score,
    kernel_subsets,
)
from posegen.metrics.estimate import Estimate, estimate
from posegen.metrics.features import Extractor, Features
from posegen.metrics.spread import frechet_estimate, kernel_estimate, set_estimate
from posegen.metrics.values import IOU, ISIM, OBJECT, Values
from posegen_runtime.errors import PoseGenError

UNAVAILABLE = "unavailable"
UNPAIRED = "no image has the name of a real photo"
GENUINE = {"is": "IS", "fid": "FID", "kid": "KID", "kid_subsets": "KID, subsets", ISIM: "I_sim"}
"""The figures' keys and names that only Inception with its own weights earns."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`figures` by key: those of `GENUINE`, `iou`, and a surrogate's under keys with its name."""

    method: str
    images: int
    figures: dict[str, Estimate]


@dataclass(frozen=True)
class Seen:
    """A set of N images as the metrics see it: features by the extractor's name, and the `iou`
    float64 [N] of the asked mask with the one found, NaN where no mask was asked for."""

    features: Mapping[str, Features]
    iou: Values | None = None


@dataclass(frozen=True)
class Scorer:
    """`real` is what images are compared with. Image `i` of a row belongs to `pairs[i]` of `real`,
    -1: to none; `objects` int64 [N] says which of the row's images show the same object.
    """

    extractors: tuple[Extractor, ...]
    real: Mapping[str, Features]
    pairs: NDArray[np.int64]
    objects: NDArray[np.int64]
    subset_size: int = KID_SUBSET_SIZE
    seed: int = 0

    def score(self, method: str, seen: Seen) -> tuple[Row, dict[str, Values]]:
        """The row, and its values for each image, [N] by column (without the method's name)."""
        values: dict[str, Values] = {}
        figures = {key: Estimate(value=None, missing=UNAVAILABLE) for key in GENUINE}
        for extractor in self.extractors:
            fake, real = seen.features[extractor.name], self.real[extractor.name]
            key = ISIM if extractor.genuine else f"cosine_{extractor.name}"
            values[key] = self._similarity(fake, real)
            if extractor.genuine:
                figures |= self._genuine(fake, real)
            else:
                figures |= self._surrogate(extractor.name, fake, real)
        if seen.iou is not None:
            values[IOU] = seen.iou
        figures |= self._means(values)
        if not (self.pairs >= 0).any():
            figures |= {key: Estimate(value=None, missing=UNPAIRED) for key in values if key != IOU}
        figures.setdefault(IOU, Estimate(value=None, missing="no masks"))
        return Row(method=method, images=len(self.pairs), figures=figures), values

    def _genuine(self, fake: Features, real: Features) -> dict[str, Estimate]:
        assert fake.logits is not None
        return {
            "is": _needing(
                SPLITS, fake.logits, lambda a: set_estimate(inception_score, a, self.seed)
            ),
            "fid": self._pair(frechet_estimate, fake, real),
            "kid": self._pair(kernel_estimate, fake, real),
            "kid_subsets": self._subsets(fake, real),
        }

    def _surrogate(self, name: str, fake: Features, real: Features) -> dict[str, Estimate]:
        return {
            f"frechet_{name}": self._pair(frechet_estimate, fake, real),
            f"kernel_{name}": self._pair(kernel_estimate, fake, real),
        }

    def _pair(self, of: Callable[..., Estimate], fake: Features, real: Features) -> Estimate:
        smaller = min(fake.pool, real.pool, key=len)
        return _needing(2, smaller, lambda _: of(fake.pool, real.pool, self.seed))

    def _subsets(self, fake: Features, real: Features) -> Estimate:
        try:
            return Estimate(value=kernel_subsets(fake.pool, real.pool, self.subset_size))
        except PoseGenError as error:
            return Estimate(value=None, missing=str(error))

    def _similarity(self, fake: Features, real: Features) -> Values:
        found = np.full(len(fake), np.nan)
        has = self.pairs >= 0
        found[has] = cosine(fake.pool[has], real.pool[self.pairs[has]])
        return found

    def _means(self, values: dict[str, Values]) -> dict[str, Estimate]:
        columns = {OBJECT: self.objects.astype(np.float64), **values}
        spans = intervals({key: mean(key) for key in values}, columns, self.seed)
        return {key: estimate(mean(key)(columns), spans[key]) for key in values}


def _needing(
    images: int, features: NDArray[np.float32], of: Callable[[NDArray[np.float32]], Estimate]
) -> Estimate:
    if len(features) < images:
        return Estimate(value=None, missing=f"fewer than {images} images")
    return of(features)
