"""One step: the discriminator once, then the generator once (paper, section 5.4 and its code)."""

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from posegen import losses
from posegen.config import N_Z, TrainConfig, Variant
from posegen.models.discriminator import Discriminator
from posegen.training.state import TrainingState, learning_rate, set_learning_rate
from posegen.training.tensors import Tensors


def seed_step(seed: int, step: int) -> None:
    """All randomness of a step follows from (seed, step), on every device alike: nothing to store
    for a resume, and nothing that depends on the number of devices."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, 0]).generate_state(1)[0]))


def train_step(
    state: TrainingState, batch: Tensors, config: TrainConfig, fabric: Fabric
) -> dict[str, Tensor]:
    """Change `state` by one step and return the losses as detached scalars on the device.

    The generated images are computed once: the discriminator learns from them, then judges them
    again with its new weights for the generator.
    """
    seed_step(config.seed, state.step)
    rate = learning_rate(config, state.step)
    latent = None
    if config.model.variant is Variant.UNCONDITIONAL:
        drawn = torch.randn(config.batch_size, N_Z, device=fabric.device)
        latent = drawn.chunk(fabric.world_size)[fabric.global_rank]
    fake = state.generator(**batch.conditions, latent=latent)
    terms = {}
    if config.loss.uses_discriminator:
        real = real_images(batch) if config.shadowless else batch.photo
        terms["discriminator"] = _discriminator_step(
            state, batch, real, fake.detach(), rate, fabric
        )
    terms |= _generator_step(state, batch, fake, rate, config, fabric)
    state.step += 1
    state.ema.update(state.plain_generator, state.step)
    return terms


def _discriminator_step(
    state: TrainingState,
    batch: Tensors,
    real: Tensor,
    fake: Tensor,
    rate: float,
    fabric: Fabric,
) -> Tensor:
    # One pass over real and generated images: one power iteration, one gradient exchange.
    judged = state.discriminator(
        torch.cat([real, fake]),
        _both(batch.photo_mask, batch.mask),
        _both(batch.photo_background, batch.background),
    )
    halves = [scale.float().chunk(2) for scale in judged.logits]
    loss = losses.hinge_discriminator([real for real, _ in halves], [made for _, made in halves])
    set_learning_rate(state.discriminator_optimizer, rate)
    state.discriminator_optimizer.zero_grad()
    fabric.backward(loss)
    state.discriminator_optimizer.step()
    return loss.detach()


def _generator_step(
    state: TrainingState,
    batch: Tensors,
    fake: Tensor,
    rate: float,
    config: TrainConfig,
    fabric: Fabric,
) -> dict[str, Tensor]:
    # The inner module, and no gradients for its weights: a third of the backward pass saved, and
    # with several devices nothing to exchange.
    judge = state.plain_discriminator.requires_grad_(False)
    terms = reconstruction(fake, batch, config)
    if config.loss.uses_discriminator:
        with fabric.autocast():
            terms |= judged_terms(judge, fake, batch, config)
    set_learning_rate(state.generator_optimizer, rate)
    state.generator_optimizer.zero_grad()
    fabric.backward(torch.stack(list(terms.values())).sum())
    state.generator_optimizer.step()
    judge.requires_grad_(True)
    return {name: term.detach() for name, term in terms.items()}


def judged_terms(
    judge: Discriminator, fake: Tensor, batch: Tensors, config: TrainConfig
) -> dict[str, Tensor]:
    """The weighted terms for which the discriminator looks at the generated images."""
    weights = config.loss
    judged = judge(fake, batch.mask, batch.background)
    logits = [scale.float() for scale in judged.logits]
    terms = {"adversarial": weights.lambda_gan * losses.hinge_generator(logits)}
    if weights.lambda_features and batch.paired and batch.certain is not None:
        with torch.no_grad():
            photo = real_images(batch) if config.shadowless else batch.photo
            real = judge(photo, batch.mask, batch.background)
        matching = losses.feature_matching(judged.features, real.features, batch.certain)
        terms["features"] = weights.lambda_features * matching
    return terms


def reconstruction(fake: Tensor, batch: Tensors, config: TrainConfig) -> dict[str, Tensor]:
    """The weighted terms λ_R L_R that the variant and the sampler allow.

    Autoencoder: the whole image. With a background: Eq. 6. With a paired target: Eq. 7.
    """
    loss = config.loss
    if config.model.variant is Variant.AUTOENCODER:
        full = losses.image_reconstruction(fake, batch.photo)
        return {"image": loss.lambda_object * full}
    terms: dict[str, Tensor] = {}
    if batch.covered is not None and batch.background is not None:
        error = losses.background_reconstruction(fake, batch.background, batch.covered)
        terms["background"] = loss.lambda_background * error
    if batch.certain is not None and batch.paired:
        error = losses.object_reconstruction(fake, batch.photo, batch.certain)
        terms["object"] = loss.lambda_object * error
    return terms


def real_images(batch: Tensors) -> Tensor:
    """Photos [N, 3, S, S] whose surroundings are the empty scene: o ⊙ p + b ⊙ (1 - p), what Eq. 6
    and Eq. 7 ask of a paired sample together. Without backgrounds the photos as they are."""
    shown = batch.photo_covered
    if shown is None or batch.photo_background is None:
        return batch.photo
    return torch.lerp(batch.photo_background, batch.photo, shown)


def _both(real: Tensor | None, generated: Tensor | None) -> Tensor | None:
    return None if real is None or generated is None else torch.cat([real, generated])
