"""The paper's encoders: an image to a latent vector (section 3.1)."""

import torch.nn.functional as F
from torch import Tensor, nn

from posegen.models.blocks import DownBlock, normalised_linear
from posegen.models.islands import wide


class ResidualTrunk(nn.Module):
    """Down-sampling blocks from `image_size` to 2×2 pixels with `ndf` channels there.

    Widths are halved at each doubling of the size; a smaller image leaves out the finest blocks.
    """

    def __init__(self, ndf: int, image_size: int) -> None:
        super().__init__()
        count = image_size.bit_length() - 2
        widths = [ndf >> (count - 1 - i) for i in range(count)]
        self.blocks = nn.ModuleList(
            DownBlock(3 if i == 0 else widths[i - 1], width, first=i == 0)
            for i, width in enumerate(widths)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        """[N, 3, H, W] → pooled features [N, ndf], and the output of each block by its stride."""
        features: dict[int, Tensor] = {}
        h = image
        for i, block in enumerate(self.blocks):
            h = block(h)
            features[2 << i] = h
        return wide(F.relu(h)).sum(dim=(2, 3)), features


class Encoder(nn.Module):
    """e_o, e_p or e_b: [N, 3, H, W] in [-1, 1] → its part of z [N, n_z], features by stride."""

    def __init__(self, ndf: int, n_z: int, image_size: int) -> None:
        super().__init__()
        self.trunk = ResidualTrunk(ndf, image_size)
        self.project = normalised_linear(ndf, n_z)

    def forward(self, image: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        pooled, features = self.trunk(image)
        return self.project(pooled), features
