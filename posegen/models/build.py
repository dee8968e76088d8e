"""From a configuration to models."""

from posegen.config import (
    BOTTLENECK_CAPACITIES,
    SPATIAL_CAPACITIES,
    Arch,
    ModelConfig,
)
from posegen.models.bottleneck import BottleneckGenerator
from posegen.models.discriminator import (
    BottleneckDiscriminator,
    Discriminator,
    SpatialDiscriminator,
)
from posegen.models.generator import Generator
from posegen.models.spatial import STRIDES, SpatialGenerator
from posegen_runtime.errors import PoseGenError


def build_generator(config: ModelConfig) -> Generator:
    """The generator, freshly initialised.

    Raises `PoseGenError` for a preset, variant or image size that the architecture lacks.
    """
    check_model(config)
    if config.arch is Arch.BOTTLENECK:
        return BottleneckGenerator(config)
    return SpatialGenerator(config)


def build_discriminator(config: ModelConfig) -> Discriminator:
    """The discriminator that belongs to the generator of the same configuration."""
    check_model(config)
    if config.arch is Arch.BOTTLENECK:
        return BottleneckDiscriminator(config)
    return SpatialDiscriminator(config)


def check_model(config: ModelConfig) -> None:
    """Raises `PoseGenError` for a preset, variant or image size that the architecture lacks."""
    arch, size = config.arch.value, config.image_size
    presets = BOTTLENECK_CAPACITIES if config.arch is Arch.BOTTLENECK else SPATIAL_CAPACITIES
    if config.preset not in presets:
        raise PoseGenError(
            f"preset {config.preset}: {arch} has no such preset; use one of {', '.join(presets)}"
        )
    if config.viewpoint and config.arch is Arch.BOTTLENECK:
        raise PoseGenError(f"arch {arch} takes no viewpoint; use arch {Arch.SPATIAL.value}")
    if config.arch is Arch.BOTTLENECK:
        if size < 16 or size > 256 or size & (size - 1):
            raise PoseGenError(f"image size {size}: {arch} takes powers of two from 16 to 256")
        return
    if size < STRIDES[-1] or size % STRIDES[-1]:
        raise PoseGenError(f"image size {size}: {arch} takes multiples of {STRIDES[-1]}")
    if not config.variant.uses_mask:
        raise PoseGenError(
            f"variant {config.variant.value}: {arch} has variants with a mask only; "
            "use arch bottleneck"
        )
