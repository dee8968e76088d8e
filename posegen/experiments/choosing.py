"""The best checkpoint as the paper chooses it: by the mean of IoU and I_sim on validation."""

import math
from dataclasses import dataclass

import numpy as np

from posegen.config import Variant
from posegen.evaluation.checkpoint_model import GeneratorModel
from posegen.evaluation.judges import MaskJudge
from posegen.evaluation.samples import Samples
from posegen.experiments.sources import source_of
from posegen.metrics.distances import cosine
from posegen.metrics.features import Extractor, Features
from posegen.metrics.looking import look
from posegen.models.generator import Generator
from posegen.training.evaluation import SCORE

PREFIX = "val_"


@dataclass(frozen=True)
class Chooser:
    """`extractor` is Inception, or what stands in for it (then `name` says so); `real` are its
    features of the validation photos."""

    samples: Samples
    segmenter: MaskJudge | None
    extractor: Extractor | None
    real: Features | None
    batch_size: int

    @staticmethod
    def over(
        samples: Samples,
        segmenter: MaskJudge | None,
        extractors: tuple[Extractor, ...],
        batch_size: int,
    ) -> "Chooser":
        """With the first of `extractors`."""
        extractor = extractors[0] if extractors else None
        real = None
        if extractor is not None:
            photos = ((batch.photo, None) for batch in samples.batches(batch_size))
            real = look(photos, (extractor,)).features[extractor.name]
        return Chooser(samples, segmenter, extractor, real, batch_size)

    @property
    def name(self) -> str:
        """What the score is the mean of; "" where nothing can be measured."""
        parts = ["IoU"] if self.segmenter is not None else []
        if self.extractor is not None:
            genuine = self.extractor.genuine
            parts.append("I_sim" if genuine else f"cosine of {self.extractor.name} features")
        return " and ".join(parts)

    def score(self, generator: Generator) -> dict[str, float]:
        """The parts on the validation samples, and their mean as `SCORE`; empty for the
        unconditional variant, whose images have nothing to be compared with."""
        if generator.config.variant is Variant.UNCONDITIONAL:
            return {}
        source = source_of("validation", GeneratorModel(generator))
        batches = self.samples.batches(self.batch_size)
        made = ((source.images(batch), batch.mask) for batch in batches)
        extractors = () if self.extractor is None else (self.extractor,)
        seen = look(made, extractors, self.segmenter)
        parts: dict[str, float] = {}
        if seen.iou is not None:
            parts["iou"] = float(np.nanmean(seen.iou))
        if self.extractor is not None and self.real is not None:
            fake = seen.features[self.extractor.name]
            parts["similarity"] = float(cosine(fake.pool, self.real.pool).mean())
        finite = [value for value in parts.values() if math.isfinite(value)]
        figures = {PREFIX + name: value for name, value in parts.items()}
        return figures | ({SCORE: sum(finite) / len(finite)} if finite else {})
