"""Configuration of models and training. Every number of the paper stands here and nowhere else."""

from enum import Enum

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


class SamplerName(str, Enum):
    """What a training step sees; `posegen.data.samplers` draws it."""

    PAIRED = "paired"
    """Mask and appearance of the photo itself: Eq. 6 and Eq. 7 apply."""
    INDEPENDENT = "independent"
    """Algorithm 1: Eq. 6 only."""


class TrainPrecision(str, Enum):
    """Arithmetic of training, by Fabric's names."""

    FULL = "32"
    BFLOAT16 = "bf16-mixed"
    FLOAT16 = "16-mixed"


class BottleneckCapacity(msgspec.Struct, frozen=True, kw_only=True):
    """Widths of the paper's model (section 5.4 and its published code)."""

    ndf: int
    """Channels of encoders and discriminator at 2×2 pixels, halved at each doubling of the size."""
    ngf: int
    """Channels where the decoder starts, `bottom_width` pixels wide, halved at each doubling."""
    bottom_width: int
    skip_strides: tuple[int, ...] = (2, 4, 8, 16)
    """Layers of e_b that are added into G (section 3.1), by their stride. The finest four that
    have a counterpart at 256×256 fill 1.97 MB an image, under the 2 MB that conditions may take;
    what is coarser goes through the latent vector z_b."""


class SpatialCapacity(msgspec.Struct, frozen=True, kw_only=True):
    """Widths of the spatial model at strides 2, 4, 8, 16 and 32 of the image."""

    decoder: tuple[int, int, int, int, int]
    refinements: tuple[int, int, int, int, int]
    """Residual convolutions behind the one that enters each level."""
    modulation: tuple[int, int, int, int, int]
    """Features of the mask pyramid, and from stride 4 on of the background pyramid."""
    appearance: tuple[int, int, int, int]
    """Appearance encoder at strides 4, 8, 16 and 32."""
    palette: int
    """Attention maps that pool the appearance, each one colour and one feature vector."""
    style: int
    """Width of the vector that, with the palette's colours, decides FiLM's scales and shifts."""
    discriminator: tuple[int, int, int, int, int]
    """Discriminator at strides 2, 4, 8, 16 and 32."""
    silhouette_bias: float = 4.0
    """k in α = sigmoid(logit + k (2p - 1))."""


BOTTLENECK_CAPACITIES = {
    "paper": BottleneckCapacity(ndf=1024, ngf=512, bottom_width=4),
    "small": BottleneckCapacity(ndf=256, ngf=128, bottom_width=4),
    "tiny": BottleneckCapacity(ndf=128, ngf=64, bottom_width=4),
}
SPATIAL_CAPACITIES = {
    "tiny": SpatialCapacity(
        decoder=(8, 8, 16, 16, 16),
        refinements=(0, 0, 1, 1, 1),
        modulation=(8, 8, 8, 8, 8),
        appearance=(8, 8, 16, 16),
        palette=4,
        style=16,
        discriminator=(8, 8, 16, 16, 16),
    ),
    "edge": SpatialCapacity(
        decoder=(16, 32, 64, 96, 128),
        refinements=(1, 1, 1, 1, 1),
        modulation=(8, 24, 32, 48, 64),
        appearance=(16, 32, 48, 64),
        palette=8,
        style=88,
        discriminator=(16, 32, 64, 128, 192),
    ),
    "base": SpatialCapacity(
        decoder=(32, 64, 128, 192, 256),
        refinements=(1, 2, 2, 2, 2),
        modulation=(16, 32, 48, 64, 96),
        appearance=(32, 64, 96, 128),
        palette=16,
        style=192,
        discriminator=(32, 64, 128, 256, 384),
    ),
}


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which generator is built. `preset` is a key of the architecture's capacities."""

    arch: Arch
    preset: str
    variant: Variant
    image_size: int = 256
    viewpoint: bool = False
    """Whether the generator may be told from where the object is seen, which its silhouette does
    not always say (front or rear)."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the generator's inputs in the order of every signature and graph."""
        return (*self.variant.inputs, *(["viewpoint"] if self.viewpoint else []))


class LossConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Weights of Eq. 5: L = λ_GAN L_GAN + λ_R L_R."""

    lambda_gan: float = 1.0
    lambda_background: float = 1.0
    """λ_R of Eq. 6, background outside the silhouette."""
    lambda_object: float = 1.0
    """λ_R of Eq. 7, object inside the silhouette; also of the autoencoder's full-image loss."""
    lambda_features: float = 0.0
    """Feature matching inside the silhouette, with the discriminator's layers; paired samples."""

    @property
    def uses_discriminator(self) -> bool:
        """False for a run on reconstruction alone: the discriminator stays as it is."""
        return self.lambda_gan > 0 or self.lambda_features > 0


EVERY = 500
"""Steps between figures, between resume files and between sample grids."""


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One training run. Defaults are the paper's (section 5.4) and its published code's."""

    model: ModelConfig
    loss: LossConfig = LossConfig()
    sampler: SamplerName = SamplerName.PAIRED
    steps: int = 75_000
    batch_size: int = 64
    learning_rate: float = 2e-4
    adam_betas: tuple[float, float] = (0.0, 0.9)
    learning_rate_decay: bool = True
    """Linear decay to 0 at `steps`."""
    ema_decay: float = 0.999
    shadowless: bool = False
    """The discriminator's real images are the photo inside its silhouette and the empty scene
    outside: it does not ask for the object's shadow, which Eq. 6 forbids."""
    viewpoint_dropout: float = 0.25
    """Share of the samples whose viewpoint is withheld, so that the model can do without it."""
    rough_masks: float = 0.0
    """Share of the samples whose mask is made as rough as a segmenter's (`data.roughen`)."""
    crops: float = 0.0
    """Share of the samples that are cropped at random, objects cut by the border included."""
    covered: float = 0.0
    """Share of the samples whose background is foreign under the object (`data.covering`)."""
    evaluate_every: int = EVERY
    seed: int = 0
    precision: TrainPrecision = TrainPrecision.FULL
    devices: int = 1
    """On each node; `batch_size` is that of all devices of all nodes together."""
    nodes: int = 1


N_Z = 256
"""Width of each encoder's latent vector, n_z (section 5.4)."""

DEFAULT_PRESETS = {Arch.SPATIAL: "edge", Arch.BOTTLENECK: "paper"}
DEFAULT = TrainConfig(
    model=ModelConfig(
        arch=Arch.SPATIAL,
        preset=DEFAULT_PRESETS[Arch.SPATIAL],
        variant=Variant.POSE_APPEARANCE_BACKGROUND,
    )
)
"""What is trained when nothing is asked for."""
