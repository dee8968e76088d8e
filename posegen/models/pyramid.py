"""Encoders of the spatial generator: pyramids for mask and background, a style for appearance."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posegen.models.islands import narrow, wide


class ConvNorm(nn.Module):
    """Convolution, then batch norm, which `fold` merges into the convolution."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        # Kernels of twice the stride read every pixel equally often.
        padding = (kernel - stride) // 2 if stride > 1 else kernel // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False)
        self.norm: nn.BatchNorm2d | nn.Identity = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))

    def fold(self) -> None:
        """Eval mode only: the statistics become part of weight and bias."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = nn.utils.fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


class Pyramid(nn.Module):
    """An image → features at each stride, coarser ones computed from finer ones.

    `strides` is increasing, each twice the one before. Features are given before their activation,
    so that those of several pyramids can be added.
    """

    def __init__(
        self, in_channels: int, stem: int, widths: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.strides = strides
        first = strides[0]
        self.stem = ConvNorm(in_channels, stem, 2 * first, first)
        self.levels = nn.ModuleList(
            ConvNorm(stem, width) if i == 0 else ConvNorm(widths[i - 1], width, 4, 2)
            for i, width in enumerate(widths)
        )

    def forward(self, image: Tensor) -> dict[int, Tensor]:
        h = self.stem(image)
        features = {}
        for stride, level in zip(self.strides, self.levels, strict=True):
            h = features[stride] = level(F.relu(h))
        return features


class AppearanceEncoder(nn.Module):
    """e_o: [N, 3, H, W] → style [N, S + 3K], K attended colours last.

    The object in the appearance is not segmented: attention maps find it and pool, each on its
    own, the mean colour and the mean features of what it attends to. So a colour reaches the style
    unblurred by the scene around it.
    """

    def __init__(self, widths: tuple[int, int, int, int], palette: int, style: int) -> None:
        super().__init__()
        self.stem = ConvNorm(3, widths[0], 8, 4)
        self.down = nn.ModuleList(
            ConvNorm(widths[i], widths[i + 1], 4, 2) for i in range(len(widths) - 1)
        )
        self.context = nn.Conv2d(widths[3], widths[1], 1)
        self.attention = nn.Conv2d(widths[1], palette, 1)
        pooled = palette * (3 + widths[1]) + widths[3]
        self.width = style + 3 * palette
        self.mix = nn.Sequential(
            nn.Linear(pooled, style), nn.ReLU(), nn.Linear(style, style), nn.ReLU()
        )

    def forward(self, image: Tensor) -> Tensor:
        h = F.relu(self.stem(image))
        stride8 = h = F.relu(self.down[0](h))
        for level in list(self.down)[1:]:
            h = F.relu(level(h))
        context = F.interpolate(self.context(h), scale_factor=4, mode="nearest")
        logits = self.attention(F.relu(stride8 + context))
        weights = wide(logits).flatten(2).softmax(dim=2)
        colours = _pool(wide(F.avg_pool2d(image, 8)), weights)
        features = _pool(wide(stride8), weights)
        pooled = torch.cat([colours, features, wide(h).mean(dim=(2, 3))], dim=1)
        style = self.mix(narrow(pooled, image))
        return torch.cat([style, narrow(colours, image)], dim=1)


def _pool(values: Tensor, weights: Tensor) -> Tensor:
    """[N, C, h, w] by [N, K, h w] → [N, K C]: each map's weighted mean."""
    return torch.bmm(weights, values.flatten(2).transpose(1, 2)).flatten(1)
