"""The figure by which the best checkpoint is chosen, and the fixed samples that it is measured on.

Where a run is given a `Score`, that chooses. Else it is the reconstruction error of the averaged
generator on paired validation samples: Eq. 7 inside the silhouette plus, where the variant takes a
background, Eq. 6 outside it, both unweighted (mean square error, values in [-1, 1]). It is cheap,
deterministic and comparable within a run. It prefers blur to wrong detail; how good images are is
for `posegen evaluate` to say.
"""

from collections.abc import Callable

import numpy as np
import torch

from posegen import losses
from posegen.config import N_Z, ModelConfig, Variant
from posegen.data.prepared import Split
from posegen.data.samplers import paired_batch
from posegen.models.generator import Generator
from posegen.training.tensors import Tensors, to_tensors

FIGURE = "val_error"
SCORE = "val_score"
SAMPLES = 64

Score = Callable[[Generator], dict[str, float]]
"""Further figures of the averaged generator, in eval mode; `SCORE` among them: higher is better."""


def cost(metrics: dict[str, float]) -> float | None:
    """What the best checkpoint has least of; None where nothing was measured."""
    return -metrics[SCORE] if SCORE in metrics else metrics.get(FIGURE)


def fixed_batches(
    split: Split, config: ModelConfig, device: torch.device, batch_size: int
) -> list[Tensors]:
    """All samples of `split`, in order; the appearance is the stored other view of each."""
    order = np.arange(len(split))
    return [
        to_tensors(paired_batch(split, piece, piece), config, device)
        for piece in np.array_split(order, range(batch_size, len(split), batch_size))
    ]


def sample_batch(split: Split, config: ModelConfig, device: torch.device, count: int) -> Tensors:
    """`count` samples, evenly spaced over `split`: those of the sample grid."""
    chosen = np.unique(np.linspace(0, len(split) - 1, count).round().astype(np.int64))
    return to_tensors(paired_batch(split, chosen, chosen), config, device)


def fixed_latent(batch: Tensors, config: ModelConfig) -> torch.Tensor | None:
    """The same z ~ N(0, I) each time for the unconditional variant, None for the others."""
    if config.variant is not Variant.UNCONDITIONAL:
        return None
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(batch.photo), N_Z, generator=generator).to(batch.photo.device)


@torch.no_grad()
def evaluate(generator: Generator, batches: list[Tensors]) -> dict[str, float]:
    """Errors of `generator` (in eval mode) over the samples; `FIGURE` is their sum.

    Empty for the unconditional variant, which has nothing to be compared with; then the best
    checkpoint is the last.
    """
    variant = generator.config.variant
    if variant is Variant.UNCONDITIONAL:
        return {}
    sums: dict[str, float] = {}
    for batch in batches:
        image = generator(**batch.conditions)
        for name, error in _errors(image, batch).items():
            sums[name] = sums.get(name, 0.0) + float(error) * len(image)
    count = sum(len(batch.photo) for batch in batches)
    errors = {name: total / count for name, total in sums.items()}
    return {FIGURE: sum(errors.values()), **errors}


def _errors(image: torch.Tensor, batch: Tensors) -> dict[str, torch.Tensor]:
    if batch.mask is None:
        return {"val_image": losses.image_reconstruction(image, batch.photo)}
    errors = {"val_object": losses.object_reconstruction(image, batch.photo, batch.mask)}
    if batch.background is not None:
        errors["val_background"] = losses.background_reconstruction(
            image, batch.background, batch.mask
        )
    return errors
