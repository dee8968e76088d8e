"""The paper's baseline and oracles (sections 5.2 and 5.3): images that cost no training, or that
show what a generator could reach at best."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.model import Model
from posegen.evaluation.samples import Order, SampleBatch, Samples
from posegen.metrics.nearest import closest, pack
from posegen_runtime.errors import PoseGenError

READ = 64
"""Masks read at a time."""


class Source(Protocol):
    """Makes an image for each sample of a batch, which a metric then looks at."""

    @property
    def name(self) -> str: ...

    def images(self, batch: SampleBatch) -> Pixels:
        """uint8 RGB [N, S, S, 3]; the same batch gives the same images."""
        ...


class RandomRGB:
    """Baseline: every channel of every pixel is drawn uniformly from its 256 levels."""

    name = "Baseline: random RGB"

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size, self._seed = size, seed

    def images(self, batch: SampleBatch) -> Pixels:
        shape = (self._size, self._size, 3)
        generators = (np.random.default_rng([self._seed, 7, int(row)]) for row in batch.rows)
        return np.stack([each.integers(0, 256, shape, np.uint8) for each in generators])


class Autoencoder:
    """Oracle 1: the photo itself through a model that takes an appearance, whole."""

    name = "Oracle 1: autoencoder"

    def __init__(self, model: Model) -> None:
        if model.inputs != ("appearance",):
            raise PoseGenError(
                f"--autoencoder: the model takes {', '.join(model.inputs) or 'nothing'}, an "
                "autoencoder the photo alone; train one with `posegen train --variant autoencoder`"
            )
        self._model = model

    def images(self, batch: SampleBatch) -> Pixels:
        return self._model.images({"appearance": batch.photo})


class RandomTraining:
    """Oracle 2: a training photo, drawn at random for each of `count` samples."""

    name = "Oracle 2: random training image"

    def __init__(self, train: Samples, count: int, seed: int = 0) -> None:
        self._train, self._rows = train, random_rows(len(train), count, seed)

    def images(self, batch: SampleBatch) -> Pixels:
        return self._train.photo(self._rows[batch.rows])


class ClosestTraining:
    """Oracle 3: the training photo whose mask has the highest IoU with the one asked for. `iou`
    float64 [N] of those masks, for each of the `samples`."""

    name = "Oracle 3: closest training image by IoU"

    def __init__(self, train: Samples, samples: Samples) -> None:
        self._train = train
        self._rows, self.iou = closest(pack(_masks(samples)), pack(_masks(train)))

    def images(self, batch: SampleBatch) -> Pixels:
        return self._train.photo(self._rows[batch.rows])


class Generated:
    """A model's images."""

    def __init__(self, name: str, evaluator: Evaluator) -> None:
        self.name, self._evaluator = name, evaluator

    def images(self, batch: SampleBatch) -> Pixels:
        return self._evaluator.generate(batch)


def random_rows(of: int, count: int, seed: int) -> NDArray[np.int64]:
    """`count` rows drawn from `of`; each as often as any other, or one less often."""
    generator = np.random.default_rng([seed, 6])
    rounds = [generator.permutation(of) for _ in range(-(-count // of))]
    return np.concatenate(rounds)[:count].astype(np.int64)


def _masks(samples: Samples) -> Iterator[Pixels]:
    rows: Order = np.arange(len(samples))
    for start in range(0, len(rows), READ):
        yield samples.mask(rows[start : start + READ])
