"""The paper's generator: each input through a latent vector, one decoder (sections 3.1 to 3.3)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posegen.config import BOTTLENECK_CAPACITIES, N_Z, ModelConfig
from posegen.models.blocks import UpBlock
from posegen.models.encoder import Encoder
from posegen.models.generator import Generator
from posegen.models.islands import narrow, normalise, wide


class Decoder(nn.Module):
    """G: z = concat(z_o, z_p, z_b) [N, k n_z] → image [N, 3, H, W] in [-1, 1].

    Features of e_b are added where the sizes meet, so skips have no parameters of their own.
    """

    def __init__(self, ngf: int, bottom_width: int, latents: int, image_size: int) -> None:
        super().__init__()
        self.start_shape = (ngf, bottom_width, bottom_width)
        self.start = nn.Linear(latents * N_Z, ngf * bottom_width**2)
        count = (image_size // bottom_width).bit_length() - 1
        self.blocks = nn.ModuleList(UpBlock(ngf >> i, ngf >> (i + 1)) for i in range(count))
        self.norm = nn.BatchNorm2d(ngf >> count)
        self.to_image = nn.Conv2d(ngf >> count, 3, 3, padding=1)
        nn.init.xavier_uniform_(self.start.weight)
        nn.init.xavier_uniform_(self.to_image.weight)

    def forward(self, latents: list[Tensor], skips: dict[int, Tensor]) -> Tensor:
        """`latents`: [N or 1, n_z] each, in the order o, p, b. `skips`: features by stride."""
        # A sum over the inputs' columns is the product with the concatenation, and lets latents of
        # leading dimension 1 meet N masks, in an exported graph too.
        weights = self.start.weight.split(N_Z, dim=1)
        start: Tensor = self.start.bias
        for latent, weight in zip(latents, weights, strict=True):
            start = start + F.linear(latent, weight)
        h = narrow(start.unflatten(1, self.start_shape), self.to_image.weight)
        stride = 1 << len(self.blocks)
        for block in self.blocks:
            h = block(h + skips[stride] if stride in skips else h)
            stride //= 2
        return torch.tanh(wide(self.to_image(F.relu(normalise(self.norm, h)))))


class BottleneckGenerator(Generator):
    """All five variants; only the encoders that the variant uses exist.

    Conditions: `appearance_z`, `background_z` [N, 256] and `background_skip_s2` ... (the layers of
    e_b by stride). No other encoder has skips: the geometry of the appearance must not leak.
    Latent z ~ N(0, I) [N, 256] for the unconditional variant.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        capacity = BOTTLENECK_CAPACITIES[config.preset]
        self.skip_strides = tuple(
            s for s in capacity.skip_strides if config.image_size // s >= capacity.bottom_width
        )
        self.encoders = nn.ModuleDict(
            {name: Encoder(capacity.ndf, N_Z, config.image_size) for name in self._latent_order()}
        )
        self.decoder = Decoder(
            capacity.ngf, capacity.bottom_width, max(len(self.encoders), 1), config.image_size
        )

    def _latent_order(self) -> list[str]:
        inputs = self.config.variant.inputs
        return [name for name in ("appearance", "mask", "background") if name in inputs]

    def float32_layers(self) -> list[nn.Module]:
        """The latent vectors too: what differs between two inputs is small beside what they share,
        and every pixel depends on it."""
        encoders = [encoder.get_submodule("project") for encoder in self.encoders.values()]
        return [*super().float32_layers(), *encoders, self.decoder.start]

    def encode(
        self, appearance: Tensor | None = None, background: Tensor | None = None
    ) -> dict[str, Tensor]:
        conditions: dict[str, Tensor] = {}
        if "appearance" in self.encoders:
            image = self.required("appearance", appearance)
            conditions["appearance_z"], _ = self.encoders["appearance"](image)
        if "background" in self.encoders:
            image = self.required("background", background)
            conditions["background_z"], features = self.encoders["background"](image)
            for stride in self.skip_strides:
                conditions[f"background_skip_s{stride}"] = features[stride]
        return conditions

    def decode(
        self,
        mask: Tensor | None,
        conditions: dict[str, Tensor],
        latent: Tensor | None = None,
        viewpoint: Tensor | None = None,
    ) -> Tensor:
        if not self.encoders:
            return self.decoder([self.required("latent", latent)], {})
        latents = []
        for name in self.encoders:
            if name == "mask":
                # The paper's encoder takes three channels whatever it encodes.
                p = self.required("mask", mask).expand(-1, 3, -1, -1)
                latents.append(self.encoders["mask"](2 * p - 1)[0])
            else:
                latents.append(conditions[f"{name}_z"])
        skips = {
            stride: conditions[f"background_skip_s{stride}"]
            for stride in self.skip_strides
            if "background" in self.encoders
        }
        return self.decoder(latents, skips)
