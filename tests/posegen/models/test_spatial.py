import pytest
import torch
from torch import Tensor, nn

from posegen.config import Arch, ModelConfig, Variant
from posegen.models import build_generator
from posegen.models.pyramid import ConvNorm
from posegen.models.spatial import SpatialGenerator

VARIANTS = [v for v in Variant if v.uses_mask]
ALL_THREE = Variant.POSE_APPEARANCE_BACKGROUND


def build(
    variant: Variant = ALL_THREE, preset: str = "tiny", size: int = 64, viewpoint: bool = False
) -> SpatialGenerator:
    torch.manual_seed(0)
    config = ModelConfig(
        arch=Arch.SPATIAL, preset=preset, variant=variant, image_size=size, viewpoint=viewpoint
    )
    generator = build_generator(config)
    assert isinstance(generator, SpatialGenerator)
    return generator.eval()


def inputs(variant: Variant = ALL_THREE, count: int = 2, size: int = 64) -> dict[str, Tensor]:
    torch.manual_seed(1)
    mask = torch.zeros(count, 1, size, size)
    for i in range(count):
        mask[i, :, 8 : 24 + 4 * i, 8:40] = 1
    images = torch.rand(2, count, 3, size, size) * 2 - 1
    drawn = {"mask": mask, "appearance": images[0], "background": images[1]}
    return {name: drawn[name] for name in variant.inputs}


@pytest.mark.parametrize("size", [32, 64, 96])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_makes_images(variant: Variant, size: int) -> None:
    image = build(variant, size=size)(**inputs(variant, 3, size))
    assert image.shape == (3, 3, size, size)
    assert image.abs().max() <= 1
    assert image.std() > 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_input_changes_the_image(variant: Variant) -> None:
    generator = build(variant)
    given = inputs(variant)
    image = generator(**given)
    for name, value in given.items():
        changed = generator(**{**given, name: value.flip(0)})
        assert not torch.allclose(changed, image, atol=1e-5), name


@pytest.mark.parametrize(
    ("variant", "absent"),
    [
        (Variant.POSE, ["background_pyramid", "appearance_encoder", "film"]),
        (Variant.POSE_APPEARANCE, ["background_pyramid"]),
        (ALL_THREE, []),
    ],
)
def test_only_the_encoders_in_use_exist(variant: Variant, absent: list[str]) -> None:
    names = {name for name, _ in build(variant).named_children()}
    encoders = {"mask_pyramid", "background_pyramid", "appearance_encoder", "film"}
    assert encoders - names == set(absent)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_viewpoint_steers_and_may_be_unknown(variant: Variant) -> None:
    generator, given = build(variant, viewpoint=True), inputs(variant)
    known = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]])
    unknown = generator(**given)
    assert torch.equal(generator(**given, viewpoint=torch.zeros(2, 3)), unknown)
    # Fresh weights add nothing, so that training begins as it does without a viewpoint.
    assert torch.allclose(generator(**given, viewpoint=known), unknown, atol=1e-6)
    torch.nn.init.normal_(generator.viewpoint_film[2].weight)
    assert not torch.allclose(generator(**given, viewpoint=known), unknown, atol=1e-3)


def test_conditions_encoded_once_serve_every_viewpoint() -> None:
    generator, given = build(viewpoint=True), inputs(count=3)
    torch.nn.init.normal_(generator.viewpoint_film[2].weight)
    seen = torch.nn.functional.normalize(torch.randn(3, 3))
    one = {name: value[:1] for name, value in given.items() if name != "mask"}
    together = generator.decode(given["mask"], generator.encode(**one), viewpoint=seen)
    repeated = {name: value.expand(3, -1, -1, -1) for name, value in one.items()}
    apart = generator(given["mask"], **repeated, viewpoint=seen)
    torch.testing.assert_close(together, apart)


def test_edge_is_small() -> None:
    generator = build(preset="edge", size=256)
    assert sum(p.numel() for p in generator.parameters()) <= 1_050_000


@pytest.mark.parametrize("preset", ["edge", "base"])
def test_conditions_fit_two_megabytes(preset: str) -> None:
    generator = build(preset=preset, size=256)
    image = torch.zeros(1, 3, 256, 256)
    conditions = generator.encode(image, image)
    assert 4 * sum(c.numel() for c in conditions.values()) <= 2_000_000


def test_the_same_weights_serve_128_and_256() -> None:
    small, large = build(preset="edge", size=128), build(preset="edge", size=256)
    large.load_state_dict(small.state_dict())
    given = inputs(size=256, count=1)
    assert torch.equal(large(**given), small(**given))


def test_composite_copies_the_background_and_paints_the_silhouette() -> None:
    """With the predicted part of α at zero, the silhouette's bias alone decides."""
    generator = build()
    with torch.no_grad():
        generator.to_image.weight[12:] = 0
        assert generator.to_image.bias is not None
        generator.to_image.bias[12:] = 0
    given = inputs()
    inside = given["mask"].bool().expand(-1, 3, -1, -1)
    difference = (generator(**given) - given["background"]).abs()
    alpha = torch.sigmoid(torch.tensor(-generator.silhouette_bias)).item()
    assert difference[~inside].max() <= 2 * alpha
    assert difference[inside].mean() > 10 * difference[~inside].mean()


def test_alpha_may_spill_over_the_silhouette() -> None:
    """Shadows lie outside: the predicted part of α is free to outweigh the bias."""
    generator = build()
    with torch.no_grad():
        assert generator.to_image.bias is not None
        generator.to_image.bias[12:] = 10
    given = inputs()
    outside = ~given["mask"].bool().expand(-1, 3, -1, -1)
    assert (generator(**given) - given["background"]).abs()[outside].mean() > 0.2


def test_edges_are_those_of_the_mask_at_full_resolution() -> None:
    """One pixel more of silhouette changes that pixel far more than its neighbours outside."""
    generator = build()
    given = inputs(count=1)
    grown = given["mask"].clone()
    grown[0, 0, 30, 50] = 1
    change = (generator(**{**given, "mask": grown}) - generator(**given)).abs().sum(dim=1)[0]
    assert change.argmax() == 30 * 64 + 50
    assert change[30, 50] > 10 * change[30, 52]


def test_the_unfolded_image_starts_without_a_grid() -> None:
    generator = build(Variant.POSE)
    image = generator(**inputs(Variant.POSE))
    assert torch.equal(image[:, :, ::2, ::2], image[:, :, 1::2, 1::2])


def test_appearance_reaches_the_image_through_film_alone() -> None:
    generator = build()
    given = inputs()
    conditions = generator.encode(given["appearance"], given["background"])
    other = generator.encode(given["appearance"].flip(0), given["background"])
    different = [name for name in conditions if not torch.equal(conditions[name], other[name])]
    assert different == ["appearance_film"]


def test_folding_merges_the_batch_norms() -> None:
    generator = build()
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
            nn.init.uniform_(module.weight)
            nn.init.uniform_(module.bias)
    folded = generator.folded()
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert any(isinstance(m, ConvNorm) for m in generator.modules())
    given = inputs()
    assert torch.allclose(folded(**given), generator(**given), atol=1e-5)
