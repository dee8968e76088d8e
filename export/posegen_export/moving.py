"""Checkpoints whose weights move, for trying an export without a trained model.

A freshly initialised generator gives nearly the same grey for every mask. Here its own weights are
rescaled until what it computes from each input counts: nothing is trained, so it takes seconds.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from posegen.checkpoint import CheckpointInfo, Lineage, save_checkpoint
from posegen.config import N_Z, ModelConfig, TrainConfig
from posegen.data.mask_range import mask_range
from posegen.models import Generator, build_discriminator, build_generator
from posegen.models.blocks import DownBlock
from posegen.models.bottleneck import BottleneckGenerator
from posegen.models.spatial import SpatialGenerator
from posegen_export.inputs import Inputs, from_seed
from posegen_export.reference import to_network
from posegen_export.weights import WeightFigures, measure_weights
from posegen_runtime import __version__
from posegen_runtime.errors import PoseGenError

ROWS = 16
"""The last inputs, over which statistics are taken: random masks are among them, which move the
output most, and they meet every pair of conditions."""
PATTERN = 2
"""Deviation of the pattern that all images of a bottleneck share, in deviations of what differs."""


def save_moving_checkpoint(path: Path, config: ModelConfig, seed: int = 0) -> WeightFigures:
    """Write a checkpoint of `config` to `path` whose output moves as the gates require."""
    torch.manual_seed(seed)
    generator = build_generator(config)
    size = (config.image_size, config.image_size)
    inputs = from_seed(size, ROWS + 8, seed)
    figures = make_weights_move(generator, inputs)
    info = CheckpointInfo(
        train_config=TrainConfig(model=config, steps=0, seed=seed),
        step=0,
        lineage=Lineage(
            dataset={"name": inputs.source, "sha256": "", "licence": "none", "images": 0},
            seed=seed,
            version=__version__,
            mask_range=mask_range(inputs.masks[: inputs.real]),
        ),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, generator, build_discriminator(config), info)
    return figures


@torch.no_grad()
def make_weights_move(generator: Generator, inputs: Inputs) -> WeightFigures:
    """Rescale `generator` in place, and return what its output does then.

    Raises `PoseGenError` when the output still does not move.
    """
    count = len(inputs.masks)
    feeds = inputs.feeds(generator.config.inputs, range(count - ROWS, count))
    tensors = {name: torch.from_numpy(to_network(name, a)) for name, a in feeds.items()}
    generator.eval()
    if isinstance(generator, BottleneckGenerator):
        _center_features(generator, tensors)
        _spread_latents(generator, tensors)
        last = generator.decoder.to_image
    else:
        assert isinstance(generator, SpatialGenerator)
        if "appearance" in tensors:
            _spread_film(generator, tensors)
        if "viewpoint" in tensors:
            _spread_viewpoint(generator, tensors["viewpoint"])
        last = generator.to_image
    _settle_norms(generator, tensors)
    _spread_output(generator, last, tensors)
    figures = measure_weights(generator, inputs)
    if figures.missed():
        raise PoseGenError(f"rescaled weights do not move: {'; '.join(figures.missed())}")
    return figures


def _center_features(generator: BottleneckGenerator, tensors: dict[str, Tensor]) -> None:
    """Give every channel behind an encoder's block mean 0, as nearly as float16 allows.

    Otherwise latents are a large constant and a small part that depends on the input, and the
    rounding errors of the former would be magnified with the latter. The constants themselves are
    float16 numbers, or else half precision would move every latent vector by the same error.
    """

    def center(block: nn.Module, arguments: object, output: Tensor) -> Tensor:
        bias = block.get_parameter("conv2.bias")
        centered = (bias - output.mean(dim=(0, 2, 3))).half().float()
        moved = output + (centered - bias)[:, None, None]
        bias.copy_(centered)
        return moved

    blocks = [m for m in generator.encoders.modules() if isinstance(m, DownBlock)]
    for block in blocks:
        block.get_parameter("shortcut.bias").zero_()  # conv2's takes its part
    hooks = [block.register_forward_hook(center) for block in blocks]
    generator(**tensors)
    for hook in hooks:
        hook.remove()


def _spread_latents(generator: BottleneckGenerator, tensors: dict[str, Tensor]) -> None:
    """Let the decoder's first layer see each latent vector with mean 0 and deviation 1, beside a
    pattern of `PATTERN`.

    A trained decoder too adds what its input says to what all images share. Without that, all that
    it makes follows from small differences, and so do its rounding errors.
    """
    start = generator.decoder.start
    total = torch.zeros(())
    for i, (name, encoder) in enumerate(generator.encoders.items()):
        tensor = tensors[name]
        image = 2 * tensor.expand(-1, 3, -1, -1) - 1 if name == "mask" else tensor
        latent, _ = encoder(image)
        columns = start.weight[:, i * N_Z : (i + 1) * N_Z]
        columns /= latent.std(dim=0).mean()
        start.bias.sub_(columns @ latent.mean(dim=0))
        total = total + (latent - latent.mean(dim=0)) @ columns.T
    start.bias.add_(PATTERN * total.std(dim=0).mean() * torch.randn_like(start.bias))


def _spread_film(generator: SpatialGenerator, tensors: dict[str, Tensor]) -> None:
    """Let the appearance change FiLM's scales and shifts by about a half."""
    film, base = generator.film, generator.film.bias.clone()
    moved = film(generator.appearance_encoder(tensors["appearance"]))
    film.weight *= 0.5 / moved.std(dim=0).mean()
    film.bias.zero_()
    film.bias.add_(base - film(generator.appearance_encoder(tensors["appearance"])).mean(dim=0))


def _spread_viewpoint(generator: SpatialGenerator, viewpoint: Tensor) -> None:
    """Let the viewpoint, which does nothing before training, change FiLM as the appearance does."""
    film = generator.viewpoint_film
    last = film[-1]
    assert isinstance(last, nn.Linear)
    nn.init.normal_(last.weight)
    last.weight *= 0.5 / film(viewpoint).std(dim=0).mean()
    last.bias.sub_(film(viewpoint).mean(dim=0))


def _settle_norms(generator: Generator, tensors: dict[str, Tensor]) -> None:
    """Give every batch norm the statistics of these inputs."""
    norms = [m for m in generator.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    generator(**tensors)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    generator.eval()


def _spread_output(generator: Generator, last: nn.Conv2d, tensors: dict[str, Tensor]) -> None:
    """Give what enters tanh (and α's sigmoid) mean 0 and deviation 1, channel by channel."""
    seen: list[Tensor] = []
    hook = last.register_forward_hook(lambda module, arguments, output: seen.append(output))
    generator(**tensors)
    hook.remove()
    deviation = seen[0].std(dim=(0, 2, 3))
    mean = seen[0].mean(dim=(0, 2, 3))
    last.weight /= deviation[:, None, None, None]
    assert last.bias is not None
    last.bias -= mean
    last.bias /= deviation
