"""Which layers lose most in half precision: what to name when the images miss their gate."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from posegen.models import Generator
from posegen_export.half import HalfArithmetic
from posegen_export.inputs import Feeds
from posegen_export.reference import to_network

NAMED = 5
"""Layers named; the first few tell where to look."""


@torch.no_grad()
def layer_losses(generator: Generator, half: Generator, feeds: Feeds) -> dict[str, float]:
    """For each layer with weights, the share of its signal that half precision alone loses there.

    Each layer of `half` (`generator.half_precision`) gets what the same layer of `generator` gets
    in float32, rounded to float16. Its error (root mean square) is put in relation to the signal:
    the deviation of the float32 output from each channel's mean, because a channel that is constant
    says nothing. Infinite where the output is; a layer without a signal is left out.
    """
    full = generator.folded()
    losses: dict[str, float] = {}

    def compare(name: str) -> Any:
        layer = half.get_submodule(name)

        def hook(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
            with HalfArithmetic(layer):
                rounded = layer(*(x.half().to(_type(layer)) for x in arguments))
            others = [d for d in range(output.ndim) if d != 1]
            signal = float((output - output.mean(dim=others, keepdim=True)).square().mean())
            if signal > 0:
                error = float((rounded.float() - output).square().mean())
                losses[name] = (error / signal) ** 0.5 if error == error else float("inf")

        return hook

    layers = {n: m for n, m in full.named_modules() if next(m.parameters(False), None) is not None}
    for name, layer in layers.items():
        layer.register_forward_hook(compare(name))
    full(**{name: torch.from_numpy(to_network(name, array)) for name, array in feeds.items()})
    return losses


def worst_layers(losses: Mapping[str, float]) -> list[str]:
    """The `NAMED` layers that lose most, a line each."""
    ordered = sorted(losses.items(), key=lambda item: -item[1])[:NAMED]
    return [f"{name} loses {loss:.2%} of its signal" for name, loss in ordered]


def _type(layer: nn.Module) -> torch.dtype:
    return next(layer.parameters()).dtype
