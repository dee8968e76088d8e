"""The models that a run starts from: fresh ones, or those of a checkpoint to fine-tune."""

import torch

from posegen.checkpoint import Checkpoint, load_weights
from posegen.config import ModelConfig, TrainConfig
from posegen.models.build import build_discriminator, build_generator
from posegen.models.discriminator import Discriminator
from posegen.models.generator import Generator
from posegen_runtime.errors import PoseGenError


def initial_models(config: TrainConfig, init: Checkpoint | None) -> tuple[Generator, Discriminator]:
    """Generator and discriminator with weights from `config.seed`, or the averaged generator and
    the discriminator of `init`.

    Raises `PoseGenError` when `init` is of another architecture, preset or variant, or of an image
    size that the architecture cannot be carried over from.
    """
    torch.manual_seed(config.seed)
    generator, discriminator = build_generator(config.model), build_discriminator(config.model)
    if init is not None:
        _check_kind(init, config.model)
        for module, weights in (
            (generator, init.generator),
            (discriminator, init.discriminator),
        ):
            problem = load_weights(module, weights)
            if problem is not None:
                raise PoseGenError(_misfit(init, config.model, problem))
    return generator, discriminator


def _check_kind(checkpoint: Checkpoint, model: ModelConfig) -> None:
    theirs = checkpoint.info.train_config.model
    for held, asked in (
        (f"--arch {theirs.arch.value}", f"--arch {model.arch.value}"),
        (f"--preset {theirs.preset}", f"--preset {model.preset}"),
        (f"--variant {theirs.variant.value}", f"--variant {model.variant.value}"),
        (_viewpoint(theirs), _viewpoint(model)),
    ):
        if held != asked:
            raise PoseGenError(
                f"--init {checkpoint.path}: holds {held}, {asked} was asked for; "
                f"name {held} or another checkpoint"
            )


def _viewpoint(model: ModelConfig) -> str:
    return "--viewpoint" if model.viewpoint else "--no-viewpoint"


def _misfit(checkpoint: Checkpoint, model: ModelConfig, problem: str) -> str:
    theirs = checkpoint.info.train_config.model
    if theirs.image_size != model.image_size:
        return (
            f"--init {checkpoint.path}: --arch {model.arch.value} cannot go from "
            f"{theirs.image_size} to {model.image_size} px; train it at {model.image_size}"
        )
    return f"--init {checkpoint.path}: weights do not fit ({problem}); name another checkpoint"
