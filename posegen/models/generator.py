"""What every generator promises: encode the conditions once, decode them for every mask."""

import copy
from abc import ABC, abstractmethod

from torch import Tensor, nn

from posegen.config import ModelConfig
from posegen.models.blocks import fold_spectral_norm
from posegen_runtime.errors import PoseGenError


class Generator(nn.Module, ABC):
    """PG of Eq. 1: o_fake = PG(o, b, p).

    Images are float32 [N, 3, H, W] in [-1, 1]; the mask p is float32 [N, 1, H, W] in {0, 1}, 1 on
    the object. `viewpoint` is float32 [N, 3]: the unit vector from the object towards the camera in
    the object's frame, zeros or None where it is unknown. An input that the model does not use is
    ignored; one that it needs and does not get raises `PoseGenError`. In half precision (`islands`)
    inputs are float16, and images still float32.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def encode(
        self, appearance: Tensor | None = None, background: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The conditions: all that `decode` needs besides the mask, each with leading dimension N.

        Tensors with leading dimension 1 serve any number of masks.
        """

    @abstractmethod
    def decode(
        self,
        mask: Tensor | None,
        conditions: dict[str, Tensor],
        latent: Tensor | None = None,
        viewpoint: Tensor | None = None,
    ) -> Tensor:
        """Images [N, 3, H, W] in [-1, 1] of masks [N, 1, H, W] under encoded conditions."""

    def forward(
        self,
        mask: Tensor | None = None,
        appearance: Tensor | None = None,
        background: Tensor | None = None,
        latent: Tensor | None = None,
        viewpoint: Tensor | None = None,
    ) -> Tensor:
        return self.decode(mask, self.encode(appearance, background), latent, viewpoint)

    def folded(self) -> "Generator":
        """A copy in eval mode with every weight a constant: same images, nothing left to compute
        from weights alone when it is exported."""
        folded = copy.deepcopy(self).eval()
        fold_spectral_norm(folded)
        return folded

    def half_precision(self) -> "Generator":
        """A copy as `folded` makes it, in float16 but for its float32 islands (`islands`)."""
        half = self.folded().requires_grad_(False).half()
        for layer in half.float32_layers():
            layer.float()
        return half

    def float32_layers(self) -> list[nn.Module]:
        """The layers with weights that belong to an island."""
        return [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]

    def required(self, name: str, value: Tensor | None) -> Tensor:
        if value is None:
            raise PoseGenError(f"variant {self.config.variant.value}: the input {name} is missing")
        return value
