"""Batch norm whose statistics are those of the whole batch, however many devices share it.

With those of its own part each device would train another model than one device does.
"""

from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn


def share_statistics(module: nn.Module, device: torch.device) -> nn.Module:
    """`module` with its batch norms replaced by ones that ask all processes; names and values of
    parameters and buffers stay. PyTorch has them for CUDA; for the CPU there is `SharedBatchNorm`.
    """
    if device.type == "cuda":
        shared: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        return shared
    for parent in list(module.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.BatchNorm2d:
                setattr(parent, name, _shared(layer))
    return module


def _shared(norm: nn.BatchNorm2d) -> "SharedBatchNorm":
    assert norm.momentum is not None
    shared = SharedBatchNorm(norm.num_features, norm.eps, norm.momentum)
    shared.load_state_dict(norm.state_dict())
    return shared.train(norm.training)


class SharedBatchNorm(nn.BatchNorm2d):
    """[N, C, H, W] → the same shape. In training the mean and the variance are those of the parts
    of all processes, which must be of one size; in eval mode it is plain batch norm."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        values = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean = _mean(values)
        centred = values - mean[:, None, None]
        variance = _mean(centred.square())
        self._remember(mean.detach(), variance.detach(), x)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, x: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        count = torch.distributed.get_world_size() * x.numel() // x.shape[1]
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        self.num_batches_tracked += 1


def _mean(values: Tensor) -> Tensor:
    """[N, C, H, W] → [C], over all processes."""
    mean: Tensor = _Average.apply(values.mean(dim=(0, 2, 3)))
    return mean


class _Average(torch.autograd.Function):
    """Mean over the processes, in both directions: what one process's statistics do to the losses
    of all others belongs to its gradient too."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        torch.distributed.all_reduce(total)
        return total.div_(torch.distributed.get_world_size())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        torch.distributed.all_reduce(total)
        return total.div_(torch.distributed.get_world_size())
