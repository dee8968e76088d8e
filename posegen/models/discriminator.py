"""Discriminators: the paper's, which sees the image alone, and a conditional one for `spatial`."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from posegen.config import BOTTLENECK_CAPACITIES, SPATIAL_CAPACITIES, ModelConfig
from posegen.models.blocks import normalised_linear
from posegen.models.encoder import ResidualTrunk
from posegen_runtime.errors import PoseGenError

GAIN = 2**0.5
"""Keeps the signal's size through leaky rectifiers, which spectral norm alone lets fade."""


class Judgement(NamedTuple):
    """What a discriminator says of N images."""

    logits: list[Tensor]
    """One [N, L] for each scale: L judgements of each image, which the hinge losses take one by
    one."""
    features: list[Tensor]
    """[N, C, h, w] of each layer, finest first: what feature matching compares."""


class Discriminator(nn.Module, ABC):
    """D: how real images look, as logits. Inputs as in `Generator`."""

    @abstractmethod
    def forward(
        self, image: Tensor, mask: Tensor | None = None, background: Tensor | None = None
    ) -> Judgement:
        """Judge images [N, 3, H, W] in [-1, 1]."""


class BottleneckDiscriminator(Discriminator):
    """The paper's: unconditional, one scale, one logit an image [N, 1]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        ndf = BOTTLENECK_CAPACITIES[config.preset].ndf
        self.trunk = ResidualTrunk(ndf, config.image_size)
        self.project = normalised_linear(ndf, 1)

    def forward(
        self, image: Tensor, mask: Tensor | None = None, background: Tensor | None = None
    ) -> Judgement:
        pooled, by_stride = self.trunk(image)
        return Judgement([self.project(pooled)], [by_stride[s] for s in sorted(by_stride)])


class SpatialDiscriminator(Discriminator):
    """Sees the silhouette, and the background where there is one, beside the image.

    Judges patches at strides 8 and 32 (texture and shape): [N, H W / 64] and [N, H W / 1024].
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.uses_background = config.variant.uses_background
        widths = SPATIAL_CAPACITIES[config.preset].discriminator
        channels = (7 if self.uses_background else 4, *widths)
        self.down = nn.ModuleList(
            spectral_norm(nn.Conv2d(channels[i], channels[i + 1], 4, stride=2, padding=1))
            for i in range(len(widths))
        )
        self.fine = spectral_norm(nn.Conv2d(widths[2], 1, 3, padding=1))
        self.coarse = spectral_norm(nn.Conv2d(widths[4], 1, 1))

    def forward(
        self, image: Tensor, mask: Tensor | None = None, background: Tensor | None = None
    ) -> Judgement:
        seen = [image, mask] + ([background] if self.uses_background else [])
        if any(x is None for x in seen):
            raise PoseGenError("the discriminator is missing the mask or the background")
        h = torch.cat([x for x in seen if x is not None], dim=1)
        features = []
        for conv in self.down:
            h = GAIN * F.leaky_relu(conv(h), 0.2)
            features.append(h)
        logits = [self.fine(features[2]), self.coarse(features[4])]
        return Judgement([scale.flatten(1) for scale in logits], features)
