"""Residual blocks of the SNGAN family, with spectral norm on every weight."""

import math

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from posegen.models.islands import normalise


def _xavier(layer: nn.Module, gain: float) -> None:
    assert isinstance(layer, (nn.Conv2d, nn.Linear))
    nn.init.xavier_uniform_(layer.weight, gain)


def normalised_conv(in_channels: int, out_channels: int, kernel: int, gain: float) -> nn.Module:
    """A same-size convolution whose weight is divided by its largest singular value."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
    _xavier(conv, gain)
    return spectral_norm(conv)


def normalised_linear(in_features: int, out_features: int) -> nn.Module:
    linear = nn.Linear(in_features, out_features)
    _xavier(linear, 1.0)
    return spectral_norm(linear)


def fold_spectral_norm(module: nn.Module) -> None:
    """Replace, in place, every normalised layer by a plain one that holds its present weight.

    In eval mode these are the weights that `forward` uses, so that outputs do not change. New
    layers, because `remove_parametrizations` edits a class that a deep copy shares.
    """
    for parent in list(module.modules()):
        for name, layer in list(parent.named_children()):
            if parametrize.is_parametrized(layer):
                setattr(parent, name, _plain(layer))


def _plain(layer: nn.Module) -> nn.Module:
    plain: nn.Conv2d | nn.Linear
    if isinstance(layer, nn.Conv2d):
        plain = nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
        )
    else:
        assert isinstance(layer, nn.Linear)
        plain = nn.Linear(layer.in_features, layer.out_features)
    plain.load_state_dict({"weight": layer.weight, "bias": layer.bias})
    return plain.to(layer.weight.device, layer.weight.dtype).train(layer.training)


class DownBlock(nn.Module):
    """[N, C, H, W] → [N, C', H/2, W/2]: activation and convolution twice, then the mean of 2×2.

    `first`: the block reads the image, so there is no activation before it, and the shortcut
    averages before its convolution, which is cheaper and the same.
    """

    def __init__(self, in_channels: int, out_channels: int, first: bool = False) -> None:
        super().__init__()
        self.first = first
        middle = out_channels if first else in_channels
        self.conv1 = normalised_conv(in_channels, middle, 3, math.sqrt(2))
        self.conv2 = normalised_conv(middle, out_channels, 3, math.sqrt(2))
        self.shortcut = normalised_conv(in_channels, out_channels, 1, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.first else F.relu(x)
        h = self.conv2(F.relu(self.conv1(h)))
        return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))


class UpBlock(nn.Module):
    """[N, C, H, W] → [N, C', 2H, 2W]: batch norm, activation, bilinear ×2 and two convolutions."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = normalised_conv(in_channels, out_channels, 3, math.sqrt(2))
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.conv2 = normalised_conv(out_channels, out_channels, 3, math.sqrt(2))
        self.shortcut = normalised_conv(in_channels, out_channels, 1, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(_double(F.relu(normalise(self.norm1, x))))
        h = self.conv2(F.relu(normalise(self.norm2, h)))
        return h + self.shortcut(_double(x))


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
