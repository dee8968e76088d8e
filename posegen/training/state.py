"""Everything that a training step changes."""

from dataclasses import dataclass, field

import torch
from lightning_fabric import Fabric
from torch import nn

from posegen.config import TrainConfig
from posegen.models.discriminator import Discriminator
from posegen.models.generator import Generator
from posegen.training.ema import Ema
from posegen.training.shared_norm import share_statistics


@dataclass
class TrainingState:
    """`generator` and `discriminator` are Fabric's wrappers: through them precision and gradient
    exchange happen. `plain_*` are the modules inside, whose weights are stored."""

    generator: nn.Module
    discriminator: nn.Module
    plain_generator: Generator
    plain_discriminator: Discriminator
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    ema: Ema[Generator]
    step: int = 0
    best: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


def build_state(
    config: TrainConfig,
    fabric: Fabric,
    initial: tuple[Generator, Discriminator],
) -> TrainingState:
    """Move `initial` to the device and give both their optimisers. With several processes all get
    the weights of the first."""
    plain_generator, plain_discriminator = initial
    if fabric.world_size > 1:
        for module in initial:
            share_statistics(module, fabric.device)
    for module in initial:
        module.to(memory_format=torch.channels_last)
    generator, generator_optimizer = fabric.setup(plain_generator, _adam(config, plain_generator))
    discriminator, discriminator_optimizer = fabric.setup(
        plain_discriminator, _adam(config, plain_discriminator)
    )
    return TrainingState(
        generator=generator,
        discriminator=discriminator,
        plain_generator=plain_generator,
        plain_discriminator=plain_discriminator,
        generator_optimizer=generator_optimizer,
        discriminator_optimizer=discriminator_optimizer,
        ema=Ema(plain_generator, config.ema_decay),
    )


def _adam(config: TrainConfig, module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        module.parameters(), lr=config.learning_rate, betas=config.adam_betas, fused=True
    )


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear decay to 0 at `config.steps`, a function of the step alone."""
    share = 1 - step / config.steps if config.learning_rate_decay else 1.0
    return config.learning_rate * share


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
