import pytest
import torch
from torch import Tensor

from posegen.config import Arch, ModelConfig, Variant
from posegen.losses import hinge_discriminator
from posegen.models import Discriminator, build_discriminator
from posegen_runtime.errors import PoseGenError

ALL_THREE = Variant.POSE_APPEARANCE_BACKGROUND


def build(arch: Arch, variant: Variant = ALL_THREE, preset: str = "tiny") -> Discriminator:
    torch.manual_seed(0)
    config = ModelConfig(
        arch=arch, preset=preset, variant=variant, image_size=256 if preset == "paper" else 64
    )
    return build_discriminator(config).eval()


def draw() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    mask = (torch.rand(2, 1, 64, 64) > 0.5).float()
    return torch.randn(2, 3, 64, 64), mask, torch.randn(2, 3, 64, 64)


def test_the_papers_discriminator_has_its_capacity() -> None:
    discriminator = build(Arch.BOTTLENECK, preset="paper")
    assert sum(p.numel() for p in discriminator.parameters()) == 10_142_657


def test_the_papers_discriminator_sees_the_image_alone() -> None:
    discriminator = build(Arch.BOTTLENECK)
    image, mask, background = draw()
    (logits,) = discriminator(image).logits
    assert logits.shape == (2, 1)
    assert torch.equal(discriminator(image, mask, background).logits[0], logits)


@pytest.mark.parametrize("variant", [v for v in Variant if v.uses_mask])
def test_spatial_sees_the_conditions_of_its_variant(variant: Variant) -> None:
    discriminator = build(Arch.SPATIAL, variant)
    image, mask, background = draw()
    judged = discriminator(image, mask, background)
    assert [scale.shape for scale in judged.logits] == [(2, 8 * 8), (2, 2 * 2)]
    assert [layer.shape[2] for layer in judged.features] == [32, 16, 8, 4, 2]
    for scale, logits in enumerate(judged.logits):
        masked = discriminator(image, 1 - mask, background).logits[scale]
        assert not torch.equal(masked, logits)
        other = discriminator(image, mask, background.flip(0)).logits[scale]
        assert torch.equal(other, logits) is not variant.uses_background


@pytest.mark.parametrize("inputs", [0b01, 0b10])
def test_spatial_names_what_is_missing(inputs: int) -> None:
    image, mask, background = draw()
    with pytest.raises(PoseGenError, match="missing the mask or the background"):
        build(Arch.SPATIAL)(
            image, mask if inputs & 0b01 else None, background if inputs & 0b10 else None
        )


@pytest.mark.parametrize("arch", list(Arch))
def test_it_learns_to_tell_real_from_fake(arch: Arch) -> None:
    discriminator = build(arch).train()
    optimiser = torch.optim.Adam(discriminator.parameters(), 5e-3, betas=(0.0, 0.9))
    image, mask, background = draw()
    real, fake = image * 0.1 + 0.5, image * 0.1 - 0.5
    losses = []
    for _ in range(12):
        loss = hinge_discriminator(
            discriminator(real, mask, background).logits,
            discriminator(fake, mask, background).logits,
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
