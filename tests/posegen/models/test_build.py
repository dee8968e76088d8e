import pytest

from posegen.config import Arch, ModelConfig, Variant
from posegen.models import build_discriminator, build_generator
from posegen_runtime.errors import PoseGenError


@pytest.mark.parametrize("builder", [build_generator, build_discriminator])
@pytest.mark.parametrize(
    ("arch", "preset", "variant", "size", "message"),
    [
        (
            Arch.BOTTLENECK,
            "edge",
            Variant.POSE,
            64,
            "preset edge: .* use one of paper, small, tiny",
        ),
        (Arch.SPATIAL, "paper", Variant.POSE, 64, "use one of tiny, edge, base"),
        (Arch.BOTTLENECK, "tiny", Variant.POSE, 96, "image size 96: .* powers of two"),
        (Arch.BOTTLENECK, "tiny", Variant.POSE, 512, "powers of two from 16 to 256"),
        (Arch.SPATIAL, "tiny", Variant.POSE, 100, "image size 100: .* multiples of 32"),
        (Arch.SPATIAL, "tiny", Variant.AUTOENCODER, 64, "variant autoencoder: .* bottleneck"),
    ],
)
def test_what_an_architecture_lacks_is_named(  # type: ignore[no-untyped-def]
    builder, arch: Arch, preset: str, variant: Variant, size: int, message: str
) -> None:
    config = ModelConfig(arch=arch, preset=preset, variant=variant, image_size=size)
    with pytest.raises(PoseGenError, match=message):
        builder(config)
