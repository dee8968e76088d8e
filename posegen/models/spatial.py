"""Our generator: mask and background steer the decoder where they are, appearance everywhere."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posegen.config import SPATIAL_CAPACITIES, ModelConfig
from posegen.models.generator import Generator
from posegen.models.islands import wide
from posegen.models.pyramid import AppearanceEncoder, ConvNorm, Pyramid

STRIDES = (2, 4, 8, 16, 32)
"""Levels of the decoder, by their stride of the image; nothing is convolved at full resolution."""

VIEWPOINT_WIDTH = 64


def _start_at_identity(layer: nn.Conv2d | nn.Linear) -> None:
    """The first half of the outputs are scales around 1, the second shifts around 0."""
    assert layer.bias is not None
    with torch.no_grad():
        layer.bias.zero_()
        layer.bias[: len(layer.bias) // 2] = 1


def _start_without_grid(layer: nn.Conv2d) -> None:
    """The four pixels that one position unfolds into start equal: no 2×2 pattern to unlearn."""
    with torch.no_grad():
        for parameter in (layer.weight, layer.bias):
            assert parameter is not None
            parameter.copy_(parameter[::4].repeat_interleave(4, dim=0))


class ViewpointFilm(nn.Sequential):
    """Viewpoint [N, 3] → what it adds to FiLM's scales and shifts, nothing before training."""

    def __init__(self, outputs: int) -> None:
        last = nn.Linear(VIEWPOINT_WIDTH, outputs)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        super().__init__(nn.Linear(3, VIEWPOINT_WIDTH), nn.ReLU(), last)


class ModulatedConv(nn.Module):
    """Convolution and batch norm, FiLM by the style, scale and shift by the pyramids, activation.

    The pyramids come last, so that what the appearance adds is gated by the silhouette.
    """

    def __init__(self, in_channels: int, out_channels: int, modulation: int) -> None:
        super().__init__()
        self.conv = ConvNorm(in_channels, out_channels)
        self.modulation = nn.Conv2d(modulation, 2 * out_channels, 1)
        _start_at_identity(self.modulation)

    def forward(self, x: Tensor, features: Tensor, film: tuple[Tensor, Tensor] | None) -> Tensor:
        h = self.conv(x)
        if film is not None:
            h = h * film[0] + film[1]
        scale, shift = self.modulation(features).chunk(2, dim=1)
        return F.relu(h * scale + shift)


class Level(nn.Module):
    """One resolution of the decoder: enter (from the coarser level, nearest ×2), then refine."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        modulation: int,
        refinements: int,
        upsample: bool,
    ) -> None:
        super().__init__()
        self.upsample = upsample
        # Channels are reduced before the up-sampling, where that costs a quarter.
        self.reduce = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.enter = ModulatedConv(out_channels, out_channels, modulation)
        self.refine = nn.ModuleList(
            ModulatedConv(out_channels, out_channels, modulation) for _ in range(refinements)
        )

    def forward(self, x: Tensor, features: Tensor, film: tuple[Tensor, Tensor] | None) -> Tensor:
        h = self.reduce(x)
        if self.upsample:
            h = F.interpolate(h, scale_factor=2, mode="nearest")
        h = self.enter(h, features, film)
        for block in self.refine:
            h = h + block(h, features, None)
        return h


class SpatialGenerator(Generator):
    """Pose, with or without appearance, with or without background.

    No weight's shape depends on the image size, a multiple of 32: the same weights serve 128×128
    and 256×256.

    Conditions: `appearance_film` [N, F], FiLM's scales and shifts for all levels; with a background
    also `background_image` [N, 3, H, W] for the composite and `background_s4` ... `background_s32`,
    its pyramid.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        capacity = SPATIAL_CAPACITIES[config.preset]
        widths, modulation = capacity.decoder, capacity.modulation
        self.silhouette_bias = capacity.silhouette_bias
        self.widths = widths
        self.mask_pyramid = Pyramid(1, modulation[0], modulation, STRIDES)
        if config.variant.uses_background:
            self.background_pyramid = Pyramid(3, modulation[1], modulation[1:], STRIDES[1:])
        if config.variant.uses_appearance:
            self.appearance_encoder = AppearanceEncoder(
                capacity.appearance, capacity.palette, capacity.style
            )
            self.film = nn.Linear(self.appearance_encoder.width, 2 * sum(widths))
            _start_at_identity(self.film)
        if config.viewpoint:
            self.viewpoint_film = ViewpointFilm(2 * sum(widths))
        inputs = (*widths[1:], modulation[-1])
        self.levels = nn.ModuleList(
            Level(
                inputs[i],
                widths[i],
                modulation[i],
                capacity.refinements[i],
                upsample=i + 1 < len(STRIDES),
            )
            for i in range(len(STRIDES))
        )
        channels = 4 if config.variant.uses_background else 3
        self.to_image = nn.Conv2d(widths[0], 4 * channels, 3, padding=1)
        _start_without_grid(self.to_image)

    def encode(
        self, appearance: Tensor | None = None, background: Tensor | None = None
    ) -> dict[str, Tensor]:
        conditions: dict[str, Tensor] = {}
        if self.config.variant.uses_appearance:
            style = self.appearance_encoder(self.required("appearance", appearance))
            conditions["appearance_film"] = self.film(style)
        if self.config.variant.uses_background:
            image = self.required("background", background)
            conditions["background_image"] = image
            for stride, features in self.background_pyramid(image).items():
                conditions[f"background_s{stride}"] = features
        return conditions

    def decode(
        self,
        mask: Tensor | None,
        conditions: dict[str, Tensor],
        latent: Tensor | None = None,
        viewpoint: Tensor | None = None,
    ) -> Tensor:
        p = self.required("mask", mask)
        films = self._films(conditions.get("appearance_film"), p, viewpoint)
        features = {
            stride: F.relu(
                h + conditions[f"background_s{stride}"]
                if f"background_s{stride}" in conditions
                else h
            )
            for stride, h in self.mask_pyramid(p).items()
        }
        h = features[STRIDES[-1]]
        for i in reversed(range(len(STRIDES))):
            h = self.levels[i](h, features[STRIDES[i]], films[i])
        unfolded = wide(F.pixel_shuffle(self.to_image(h), 2))
        rgb = torch.tanh(unfolded[:, :3])
        if not self.config.variant.uses_background:
            return rgb
        alpha = torch.sigmoid(unfolded[:, 3:] + self.silhouette_bias * (2 * wide(p) - 1))
        background = wide(conditions["background_image"])
        return background + alpha * (rgb - background)

    def _films(
        self, film: Tensor | None, mask: Tensor, viewpoint: Tensor | None
    ) -> list[tuple[Tensor, Tensor] | None]:
        """For each level, finest first: scale and shift, [N, C, 1, 1] each."""
        if self.config.viewpoint:
            if viewpoint is None:
                viewpoint = mask.new_zeros(len(mask), 3)
            seen = self.viewpoint_film(viewpoint)
            film = seen + (self._identity(seen) if film is None else film)
        if film is None:
            return [None] * len(STRIDES)
        parts = film[:, :, None, None].split([*self.widths, *self.widths], dim=1)
        return list(zip(parts[: len(STRIDES)], parts[len(STRIDES) :], strict=True))

    def _identity(self, like: Tensor) -> Tensor:
        """FiLM that changes nothing, [1, F]."""
        half = sum(self.widths)
        return torch.cat([like.new_ones(1, half), like.new_zeros(1, half)], dim=1)

    def folded(self) -> Generator:
        folded = super().folded()
        for module in folded.modules():
            if isinstance(module, ConvNorm):
                module.fold()
        return folded
