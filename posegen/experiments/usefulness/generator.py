"""PoseGen for the experiment: trained from fresh weights on the target photos, and its images."""

from pathlib import Path

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from posegen.checkpoint import LAST
from posegen.config import Arch, LossConfig, ModelConfig, TrainConfig, TrainPrecision, Variant
from posegen.data.prepared import Pixels
from posegen.evaluation.model import Conditions, Model
from posegen.experiments.usefulness.config import Config
from posegen.training.interrupt import watch_signals
from posegen.training.run import RunOptions, run_training
from posegen_runtime.console import EXIT_OK

LAYOUT_SHARE = 0.6
"""Of the steps, those without discriminator."""
_PIECE = 16


def stages(config: Config) -> dict[str, TrainConfig]:
    """First where things are, without a discriminator, then what they look like."""
    layout_steps = max(1, round(LAYOUT_SHARE * config.posegen_steps))
    model = ModelConfig(
        arch=Arch.SPATIAL,
        preset="edge",
        variant=Variant.POSE_APPEARANCE_BACKGROUND,
        image_size=config.image_size,
        viewpoint=True,
    )
    layout = TrainConfig(
        model=model,
        loss=LossConfig(lambda_gan=0, lambda_object=10, lambda_background=10),
        steps=layout_steps,
        batch_size=8,
        learning_rate=1e-3,
        adam_betas=(0.9, 0.99),
        ema_decay=0.995,
        rough_masks=0.2,
        crops=0.2,
        covered=0.5,
        seed=config.seed,
        precision=TrainPrecision.BFLOAT16,
    )
    details = TrainConfig(
        model=model,
        loss=LossConfig(lambda_gan=0.5, lambda_features=5, lambda_object=5, lambda_background=20),
        steps=max(1, config.posegen_steps - layout_steps),
        batch_size=8,
        learning_rate=4e-4,
        shadowless=True,
        ema_decay=0.995,
        rough_masks=0.2,
        crops=0.2,
        covered=0.5,
        seed=config.seed + 1,
        precision=TrainPrecision.BFLOAT16,
    )
    return {"layout": layout, "details": details}


def train(config: Config, data: Path, folder: Path) -> Path:
    """Train on the data set in `data`, or go on where that stopped. Returns the checkpoint.

    Raises `typer.Exit` with the signal's code when the training was interrupted, and `PoseGenError`
    when a loss is not finite.
    """
    before: Path | None = None
    for name, stage in stages(config).items():
        with watch_signals() as interrupt:
            code = run_training(stage, RunOptions(data, folder / name, init=before), interrupt)
        if code != EXIT_OK:
            raise typer.Exit(code)
        before = folder / name / LAST
    assert before is not None
    return before


def generate(
    model: Model,
    masks: Pixels,
    appearances: Pixels,
    backgrounds: Pixels,
    viewpoint: NDArray[np.float32],
) -> Pixels:
    """Images uint8 [N, S, S, 3] of masks [N, S, S] under conditions [N, S, S, 3], [N, 3]. A model
    of another size gets them resized, and its images are resized back."""
    size = masks.shape[1]
    pieces = []
    for at in range(0, len(masks), _PIECE):
        piece = slice(at, at + _PIECE)
        mask = resized(masks[piece], model.image_size)
        conditions: Conditions = {
            "mask": np.where(mask > 127, 255, 0).astype(np.uint8),
            "appearance": resized(appearances[piece], model.image_size),
            "background": resized(backgrounds[piece], model.image_size),
            "viewpoint": viewpoint[piece],
        }
        pieces.append(resized(model.images(conditions), size))
    return np.concatenate(pieces)


def resized(images: Pixels, size: int) -> Pixels:
    """Images [N, S, S, ...] at `size` pixels."""
    if images.shape[1] == size:
        return images
    how = cv2.INTER_AREA if size < images.shape[1] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (size, size), interpolation=how) for image in images])
