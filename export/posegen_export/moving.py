"""Checkpoints whose weights move, for trying an export without a trained model."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from posegen_runtime import __version__
from posegen_runtime.errors import PoseGenError

from posegen.checkpoint import CheckpointInfo, Lineage, save_checkpoint
from posegen.config import ModelConfig, TrainConfig
from posegen.data.mask_range import mask_range
from posegen.models import Generator, build_discriminator, build_generator
from posegen_export.inputs import Inputs, from_seed
from posegen_export.reference import to_network
from posegen_export.weights import WeightFigures, measure_weights

BATCH = 8
MADE_UP = 24
CHECK_EVERY = 20


def save_moving_checkpoint(path: Path, config: ModelConfig, seed: int = 0) -> WeightFigures:
    """Write a checkpoint of `config` to `path`, trained on made-up inputs until it moves."""
    torch.manual_seed(seed)
    generator = build_generator(config)
    size = (config.image_size, config.image_size)
    inputs = from_seed(size, MADE_UP, seed)
    figures = make_weights_move(generator, inputs, seed)
    info = CheckpointInfo(
        train_config=TrainConfig(model=config, steps=0, seed=seed),
        step=0,
        lineage=Lineage(
            dataset={"name": inputs.source, "sha256": "", "licence": "none", "images": MADE_UP},
            seed=seed,
            version=__version__,
            mask_range=mask_range(inputs.masks[: inputs.real]),
        ),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, generator, build_discriminator(config), info)
    return figures


def make_weights_move(
    generator: Generator, inputs: Inputs, seed: int = 0, max_steps: int = 400
) -> WeightFigures:
    """Train `generator`, in place, until its output depends on the mask as the gates require.

    The target is a bright object on a dark scene, or on the background where one is given: not a
    car, but enough to make every weight and every statistic of a normalisation count. Raises
    `PoseGenError` when `max_steps` do not do it.
    """
    rows = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    for step in range(1, max_steps + 1):
        _train_step(generator, optimiser, inputs, rows.integers(0, len(inputs.masks), BATCH))
        if step % CHECK_EVERY == 0:
            figures = measure_weights(generator, inputs)
            if not figures.missed():
                return figures
    raise PoseGenError(f"{max_steps} steps did not make the weights move; take another seed")


def _train_step(
    generator: Generator,
    optimiser: torch.optim.Optimizer,
    inputs: Inputs,
    rows: np.ndarray,
) -> None:
    feeds = inputs.feeds(generator.config.variant.inputs, rows.tolist())
    tensors = {name: torch.from_numpy(to_network(name, a)) for name, a in feeds.items()}
    scene = tensors.get("background", torch.full((1, 3, 1, 1), -0.6))
    tone = torch.tensor([0.9, 0.5, -0.2]).reshape(1, 3, 1, 1)
    if "appearance" in tensors:
        tone = tone - 0.5 * tensors["appearance"].mean(dim=(2, 3), keepdim=True)
    target = torch.where(tensors["mask"] > 0.5, tone, scene)
    generator.train()
    optimiser.zero_grad()
    F.mse_loss(generator(**tensors), target).backward()
    optimiser.step()
    generator.eval()
