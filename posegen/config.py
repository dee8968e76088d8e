"""Configuration of models and training. Every number of the paper stands here and nowhere else."""

from enum import Enum
from typing import Any

import msgspec


class Variant(str, Enum):
    """What the generator is conditioned on (paper, sections 3.1 to 3.3 and 5.3.1)."""

    UNCONDITIONAL = "unconditional"
    AUTOENCODER = "autoencoder"
    POSE = "pose"
    POSE_APPEARANCE = "pose-appearance"
    POSE_APPEARANCE_BACKGROUND = "pose-appearance-background"

    @property
    def uses_mask(self) -> bool:
        return self in (Variant.POSE, Variant.POSE_APPEARANCE, Variant.POSE_APPEARANCE_BACKGROUND)

    @property
    def uses_appearance(self) -> bool:
        """The autoencoder takes the image itself through the appearance encoder e_o."""
        return self in (
            Variant.AUTOENCODER,
            Variant.POSE_APPEARANCE,
            Variant.POSE_APPEARANCE_BACKGROUND,
        )

    @property
    def uses_background(self) -> bool:
        return self is Variant.POSE_APPEARANCE_BACKGROUND

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs in the order of every signature and graph."""
        used = {
            "mask": self.uses_mask,
            "appearance": self.uses_appearance,
            "background": self.uses_background,
        }
        return tuple(name for name, is_used in used.items() if is_used)


class Arch(str, Enum):
    BOTTLENECK = "bottleneck"
    SPATIAL = "spatial"


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which generator is built. `preset` names the capacity, held beside each architecture."""

    arch: Arch
    preset: str
    variant: Variant
    image_size: int = 256


class LossConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Weights of Eq. 5: L = λ_GAN L_GAN + λ_R L_R."""

    lambda_gan: float = 1.0
    lambda_background: float = 1.0
    """λ_R of Eq. 6, background outside the silhouette."""
    lambda_object: float = 1.0
    """λ_R of Eq. 7, object inside the silhouette; also of the autoencoder's full-image loss."""


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One training run. Defaults are the paper's (section 5.4) and its published code's."""

    model: ModelConfig
    loss: LossConfig = LossConfig()
    sampler: str = "paired"
    """``independent`` (Algorithm 1) or ``paired``."""
    steps: int = 75_000
    batch_size: int = 64
    learning_rate: float = 2e-4
    adam_betas: tuple[float, float] = (0.0, 0.9)
    learning_rate_decay: bool = True
    """Linear decay to 0 at `steps`."""
    ema_decay: float = 0.999
    evaluate_every: int = 500
    seed: int = 0


N_Z = 256
"""Width of each encoder's latent vector, n_z (section 5.4)."""


def to_builtins(config: msgspec.Struct) -> dict[str, Any]:
    """The configuration as JSON-ready values."""
    return msgspec.to_builtins(config)
