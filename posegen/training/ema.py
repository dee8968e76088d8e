"""Exponential moving average of the generator."""

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)
_AVERAGED_BUFFERS = ("running_mean", "running_var")


class Ema(Generic[Module]):
    """Averages of a module's parameters and of its batch-norm statistics.

    The statistics are averaged with the same weights as the parameters, since those of the newest
    parameters do not describe the activations of the averaged ones. Other buffers (the vectors of
    the spectral norm, which must keep unit length, and counters) are copied.
    """

    def __init__(self, module: Module, decay: float) -> None:
        self.module = copy.deepcopy(module)
        self.module.eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the parameters after `step` steps; early on the average is a short one, so that
        it does not remember the initial weights."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(
            list(self.module.parameters()), [p.detach() for p in module.parameters()], weight
        )
        current = dict(module.named_buffers())
        for name, buffer in self.module.named_buffers():
            if name.endswith(_AVERAGED_BUFFERS):
                buffer.lerp_(current[name], weight)
            else:
                buffer.copy_(current[name])
