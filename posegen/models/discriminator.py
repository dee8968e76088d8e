"""Discriminators: the paper's, which sees the image alone, and a conditional one for `spatial`."""

from abc import ABC, abstractmethod

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


class Discriminator(nn.Module, ABC):
    """D: how real images look, as logits. Inputs as in `Generator`."""

    @abstractmethod
    def forward(
        self, image: Tensor, mask: Tensor | None = None, background: Tensor | None = None
    ) -> Tensor:
        """Logits [N, L]: L judgements of each image, which the hinge losses take one by one."""


class BottleneckDiscriminator(Discriminator):
    """The paper's: unconditional, one logit an image [N, 1]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        ndf = BOTTLENECK_CAPACITIES[config.preset].ndf
        self.trunk = ResidualTrunk(ndf, config.image_size)
        self.project = normalised_linear(ndf, 1)

    def forward(
        self, image: Tensor, mask: Tensor | None = None, background: Tensor | None = None
    ) -> Tensor:
        return self.project(self.trunk(image)[0])


class SpatialDiscriminator(Discriminator):
    """Sees the silhouette, and the background where there is one, beside the image.

    Judges patches at strides 8 and 32 (texture and shape): [N, H W / 64 + H W / 1024].
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
    ) -> Tensor:
        seen = [image, mask] + ([background] if self.uses_background else [])
        if any(x is None for x in seen):
            raise PoseGenError("the discriminator is missing the mask or the background")
        h = torch.cat([x for x in seen if x is not None], dim=1)
        logits = []
        for i, conv in enumerate(self.down):
            h = GAIN * F.leaky_relu(conv(h), 0.2)
            if i == 2:
                logits.append(self.fine(h).flatten(1))
        logits.append(self.coarse(h).flatten(1))
        return torch.cat(logits, dim=1)
