"""How each variant makes an image for a sample."""

import numpy as np

from posegen.config import N_Z, Variant
from posegen.data.prepared import Pixels
from posegen.evaluation.checkpoint_model import GeneratorModel
from posegen.evaluation.judges import Judges
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.samples import SampleBatch
from posegen.metrics.baselines import Autoencoder, Generated, Source


class Unconditional:
    """Images of latents z ~ N(0, I), one for each sample, to which they owe nothing."""

    def __init__(self, name: str, model: GeneratorModel, seed: int = 0) -> None:
        self.name, self._model, self._seed = name, model, seed

    def images(self, batch: SampleBatch) -> Pixels:
        generators = (np.random.default_rng([self._seed, 8, int(row)]) for row in batch.rows)
        latents = [each.standard_normal(N_Z).astype(np.float32) for each in generators]
        return self._model.drawn(np.stack(latents))


def source_of(name: str, model: GeneratorModel, seed: int = 0) -> Source:
    """What makes the row `name` of a trained model of any variant."""
    if model.variant is Variant.UNCONDITIONAL:
        return Unconditional(name, model, seed)
    if model.variant is Variant.AUTOENCODER:
        return Autoencoder(model)
    return Generated(name, Evaluator(model, Judges(), seed=seed))
