import pytest
import torch
from torch import Tensor, nn

from posegen.config import Arch, ModelConfig, Variant
from posegen.models import build_generator
from posegen.models.bottleneck import BottleneckGenerator

SIZE = 32


def build(variant: Variant, preset: str = "tiny", size: int = SIZE) -> BottleneckGenerator:
    torch.manual_seed(0)
    config = ModelConfig(arch=Arch.BOTTLENECK, preset=preset, variant=variant, image_size=size)
    generator = build_generator(config)
    assert isinstance(generator, BottleneckGenerator)
    return generator.eval()


def inputs(variant: Variant, count: int = 2, size: int = SIZE) -> dict[str, Tensor]:
    torch.manual_seed(1)
    drawn = {
        "mask": (torch.rand(count, 1, size, size) > 0.5).float(),
        "appearance": torch.rand(count, 3, size, size) * 2 - 1,
        "background": torch.rand(count, 3, size, size) * 2 - 1,
    }
    if not variant.inputs:
        return {"latent": torch.randn(count, 256)}
    return {name: drawn[name] for name in variant.inputs}


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("variant", "count"),
    [
        (Variant.UNCONDITIONAL, 4_643_555),
        (Variant.AUTOENCODER, 15_047_587),
        (Variant.POSE, 15_047_587),
        (Variant.POSE_APPEARANCE, 27_548_771),
        (Variant.POSE_APPEARANCE_BACKGROUND, 40_049_955),
    ],
)
def test_paper_has_the_papers_capacity(variant: Variant, count: int) -> None:
    assert parameters(build(variant, "paper", 256)) == count


def test_one_paper_encoder_has_the_papers_capacity() -> None:
    generator = build(Variant.POSE, "paper", 256)
    assert parameters(generator.encoders["mask"]) == 10_404_032


@pytest.mark.parametrize(
    ("variant", "encoders"),
    [
        (Variant.UNCONDITIONAL, []),
        (Variant.AUTOENCODER, ["appearance"]),
        (Variant.POSE, ["mask"]),
        (Variant.POSE_APPEARANCE, ["appearance", "mask"]),
        (Variant.POSE_APPEARANCE_BACKGROUND, ["appearance", "mask", "background"]),
    ],
)
def test_only_the_encoders_in_use_exist(variant: Variant, encoders: list[str]) -> None:
    assert list(build(variant).encoders) == encoders


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("variant", list(Variant))
def test_every_variant_makes_images(variant: Variant, size: int) -> None:
    image = build(variant, size=size)(**inputs(variant, 3, size))
    assert image.shape == (3, 3, size, size)
    assert image.abs().max() <= 1
    assert image.std() > 0


@pytest.mark.parametrize("variant", list(Variant))
def test_every_input_changes_the_image(variant: Variant) -> None:
    generator = build(variant)
    given = inputs(variant)
    image = generator(**given)
    for name, value in given.items():
        changed = generator(**{**given, name: value.flip(0)})
        assert not torch.allclose(changed, image), name


def test_skips_come_from_the_background_encoder_alone() -> None:
    """With the latent vectors held, only the background still reaches the image, by its skips."""
    generator = build(Variant.POSE_APPEARANCE_BACKGROUND)
    given = inputs(Variant.POSE_APPEARANCE_BACKGROUND)
    for encoder in generator.encoders.values():
        encoder.project.register_forward_hook(lambda m, x, z: torch.zeros_like(z))
    images = {name: value.requires_grad_() for name, value in given.items()}
    generator(**images).square().sum().backward()
    assert images["background"].grad is not None
    assert images["background"].grad.abs().sum() > 0
    for name in ("appearance", "mask"):
        grad = images[name].grad
        assert grad is None or grad.abs().sum() == 0, name


def test_the_latent_is_the_product_with_the_concatenation() -> None:
    """z = concat(z_o, z_p, z_b): the decoder's sum over inputs is one linear layer of z."""
    decoder = build(Variant.POSE_APPEARANCE_BACKGROUND).decoder
    parts = [torch.randn(2, 256) for _ in range(3)]
    seen: list[Tensor] = []
    decoder.blocks[0].register_forward_pre_hook(lambda m, x: seen.append(x[0]))
    decoder(parts, {})
    expected = decoder.start(torch.cat(parts, dim=1)).unflatten(1, decoder.start_shape)
    assert torch.allclose(seen[0], expected, atol=1e-5)


def test_conditions_of_the_paper_model_fit_two_megabytes() -> None:
    generator = build(Variant.POSE_APPEARANCE_BACKGROUND, "paper", 256)
    image = torch.zeros(1, 3, 256, 256)
    conditions = generator.encode(image, image)
    assert 4 * sum(c.numel() for c in conditions.values()) <= 2_000_000
    assert len([name for name in conditions if "skip" in name]) == 4
