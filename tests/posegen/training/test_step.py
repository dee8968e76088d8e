import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from posegen.config import LossConfig, TrainConfig, Variant
from posegen.data.samplers import Batch
from posegen.losses import feature_matching
from posegen.training.devices import build_fabric
from posegen.training.initial import initial_models
from posegen.training.state import TrainingState, build_state, learning_rate
from posegen.training.step import (
    judged_terms,
    real_images,
    reconstruction,
    seed_step,
    train_step,
)
from posegen.training.tensors import Tensors, to_tensors
from tiny_training import replaced, tiny_config


def batch(
    variant: Variant, paired: bool = True, size: int = 32, viewpoint: bool = False
) -> Tensors:
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (2, size, size, 3)).astype(np.uint8)
    mask = np.zeros((2, size, size), np.uint8)
    mask[:, : size // 4] = 255
    other = image[::-1]
    seen = np.array([[1, 0, 0], [0, 0.6, 0.8]], np.float32)
    pixels = Batch(image, mask, other, mask, other, other, seen, paired)
    config = tiny_config(variant=variant, viewpoint=viewpoint).model
    return to_tensors(pixels, config, torch.device("cpu"))


def state_of(config: TrainConfig) -> TrainingState:
    return build_state(config, build_fabric(config, "cpu"), initial_models(config, None))


def weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in module.named_parameters()}


FULL = Variant.POSE_APPEARANCE_BACKGROUND


def test_one_step_moves_both_models_and_the_average() -> None:
    config = tiny_config()
    state = state_of(config)
    models = (state.plain_generator, state.plain_discriminator, state.ema.module)
    before = [weights(module) for module in models]
    losses = train_step(state, batch(FULL), config, build_fabric(config, "cpu"))
    assert state.step == 1
    assert losses.keys() == {"discriminator", "adversarial", "background", "object"}
    for module, old in zip(models, before, strict=True):
        assert any(not torch.equal(p, old[name]) for name, p in module.named_parameters())


def test_the_generator_step_leaves_the_discriminator_alone() -> None:
    """With its own learning signal at 0 (logits beyond both margins) only G may move."""
    config = tiny_config()
    state = state_of(config)
    old = weights(state.plain_discriminator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "posegen.losses.hinge_discriminator",
            lambda real, fake: 0 * torch.cat([*real, *fake], dim=1).sum(),
        )
        train_step(state, batch(FULL), config, build_fabric(config, "cpu"))
    assert all(torch.equal(p, old[n]) for n, p in state.plain_discriminator.named_parameters())
    for parameter in state.plain_discriminator.parameters():
        assert parameter.requires_grad
        assert parameter.grad is not None
        assert not parameter.grad.any()


def test_the_discriminator_judges_real_and_generated_images() -> None:
    config = tiny_config()
    state, tensors = state_of(config), batch(FULL)
    generator, judge = copy.deepcopy((state.plain_generator, state.plain_discriminator))
    losses = train_step(state, tensors, config, build_fabric(config, "cpu"))
    fake = generator(**tensors.conditions)
    seen = (torch.cat([tensors.photo, fake]), *(torch.cat([x, x]) for x in known(tensors)))
    scales = [logits.chunk(2) for logits in judge(*seen).logits]
    expected = [(1 - real).relu().mean() + (1 + made).relu().mean() for real, made in scales]
    torch.testing.assert_close(losses["discriminator"], sum(expected).detach() / len(expected))


def test_on_reconstruction_alone_the_discriminator_stays_as_it_is() -> None:
    config = replaced(tiny_config(), loss=LossConfig(lambda_gan=0.0))
    state = state_of(config)
    old = weights(state.plain_discriminator)
    losses = train_step(state, batch(FULL), config, build_fabric(config, "cpu"))
    assert losses.keys() == {"background", "object"}
    assert all(torch.equal(p, old[n]) for n, p in state.plain_discriminator.named_parameters())
    assert all(p.requires_grad for p in state.plain_discriminator.parameters())


def test_feature_matching_asks_for_a_weight_and_a_paired_sample() -> None:
    config = replaced(tiny_config(), loss=LossConfig(lambda_features=2.0))
    fabric = build_fabric(config, "cpu")
    losses = train_step(state_of(config), batch(FULL), config, fabric)
    assert losses["features"] > 0
    assert "features" not in train_step(state_of(config), batch(FULL, False), config, fabric)
    assert "features" not in train_step(state_of(config), batch(FULL), tiny_config(), fabric)


def test_the_viewpoint_reaches_the_generator() -> None:
    config = tiny_config(viewpoint=True)
    state = state_of(config)
    old = weights(state.plain_generator)
    train_step(state, batch(FULL, viewpoint=True), config, build_fabric(config, "cpu"))
    moved = {n for n, p in state.plain_generator.named_parameters() if not torch.equal(p, old[n])}
    assert "viewpoint_film.2.weight" in moved


@pytest.mark.parametrize("shadowless", [False, True])
def test_shadowless_photos_are_the_empty_scene_outside(shadowless: bool) -> None:
    config = replaced(tiny_config(), shadowless=shadowless)
    state, tensors = state_of(config), batch(FULL)
    mask, background = known(tensors)
    seen = []
    state.plain_discriminator.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    train_step(state, tensors, config, build_fabric(config, "cpu"))
    real = seen[0][: len(tensors.photo)]
    outside = background if shadowless else tensors.photo
    torch.testing.assert_close(real, torch.where(mask > 0, tensors.photo, outside))


def roughened(tensors: Tensors) -> tuple[Tensors, torch.Tensor]:
    """A paired batch whose mask was moved by the roughening, and what its mask was."""
    exact = known(tensors)[0].roll(3, dims=2)
    return replace(tensors, exact_mask=exact, exact_photo_mask=exact), exact


def test_shadowless_photos_keep_all_of_the_object() -> None:
    """A rough mask cuts nothing off it, in a paired batch and in one whose photo, mask and
    background are three samples'."""
    paired, exact = roughened(batch(FULL))
    mask, background = known(paired)
    whole = torch.where(mask + exact > 0, paired.photo, background)
    torch.testing.assert_close(real_images(paired), whole)
    other = replace(
        paired,
        paired=False,
        mask=mask.roll(9, dims=3),
        exact_mask=exact.roll(12, dims=2),
        background=background.flip(2),
    )
    torch.testing.assert_close(real_images(other), whole)
    assert not torch.equal(whole, torch.where(mask > 0, paired.photo, background))


@pytest.mark.parametrize("shadowless", [False, True])
def test_features_are_those_of_the_photo_inside_both_masks(shadowless: bool) -> None:
    config = replaced(
        tiny_config(), shadowless=shadowless, loss=LossConfig(lambda_gan=0.0, lambda_features=2.0)
    )
    state = state_of(config)
    tensors, exact = roughened(batch(FULL))
    mask, background = known(tensors)
    fake = torch.zeros_like(tensors.photo)
    judge = copy.deepcopy(state.plain_discriminator)
    found = judged_terms(state.plain_discriminator, fake, tensors, config)["features"]
    photo = torch.where(mask + exact > 0, tensors.photo, background)
    real = photo if shadowless else tensors.photo
    made, shown = (judge(image, mask, background).features for image in (fake, real))
    torch.testing.assert_close(found, 2 * feature_matching(made, shown, mask * exact))


def known(tensors: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
    """Mask and background, the same for the photo and the generated image."""
    assert tensors.mask is not None
    assert tensors.background is not None
    return tensors.mask, tensors.background


def test_the_weights_of_the_losses_count() -> None:
    config = replaced(
        tiny_config(),
        loss=LossConfig(lambda_gan=0.5, lambda_background=2.0, lambda_object=3.0),
    )
    tensors = batch(FULL)
    fake = torch.zeros_like(tensors.photo)
    plain = reconstruction(fake, tensors, tiny_config())
    weighted = reconstruction(fake, tensors, config)
    torch.testing.assert_close(weighted["background"], 2 * plain["background"])
    torch.testing.assert_close(weighted["object"], 3 * plain["object"])
    twice = replaced(config, loss=LossConfig(lambda_gan=1.0))
    once, whole = (
        train_step(state_of(c), tensors, c, build_fabric(c, "cpu")) for c in (config, twice)
    )
    torch.testing.assert_close(2 * once["adversarial"], whole["adversarial"])


def test_the_band_between_rough_and_exact_mask_counts_for_neither_equation() -> None:
    """Eq. 6 outside of both, Eq. 7 inside of both: values in the band change nothing."""
    tensors = batch(FULL)
    assert tensors.mask is not None
    exact = tensors.mask.roll(3, dims=2)
    rough = replace(tensors, exact_mask=exact)
    fake = torch.zeros_like(tensors.photo)
    found = reconstruction(fake, rough, tiny_config())
    band = (tensors.mask != exact).expand_as(fake)
    assert band.any()
    elsewhere = reconstruction(fake.masked_fill(band, 0.7), rough, tiny_config())
    for name, term in found.items():
        assert torch.equal(term, elsewhere[name])
        assert not torch.equal(term, reconstruction(fake, tensors, tiny_config())[name])
    outside = reconstruction(torch.where(band, fake, 0.7), rough, tiny_config())
    assert all(not torch.equal(term, outside[name]) for name, term in found.items())


@pytest.mark.parametrize(
    ("variant", "paired", "terms"),
    [
        (Variant.UNCONDITIONAL, True, set()),
        (Variant.AUTOENCODER, True, {"image"}),
        (Variant.POSE, True, {"object"}),
        (Variant.POSE_APPEARANCE, True, {"object"}),
        (FULL, True, {"object", "background"}),
        (FULL, False, {"background"}),
    ],
)
def test_which_equations_apply(variant: Variant, paired: bool, terms: set[str]) -> None:
    tensors = batch(variant, paired)
    found = reconstruction(torch.zeros_like(tensors.photo), tensors, tiny_config(variant=variant))
    assert found.keys() == terms


def test_the_learning_rate_falls_to_0_linearly() -> None:
    config = tiny_config(steps=10, learning_rate=0.5)
    assert [learning_rate(config, step) for step in (0, 5, 10)] == [0.5, 0.25, 0.0]
    constant = replaced(config, learning_rate_decay=False)
    assert learning_rate(constant, 9) == 0.5


def test_adam_is_set_up_as_published() -> None:
    config = tiny_config()
    state = state_of(config)
    train_step(state, batch(FULL), config, build_fabric(config, "cpu"))
    state.step = 4
    train_step(state, batch(FULL), config, build_fabric(config, "cpu"))
    for optimizer in (state.generator_optimizer, state.discriminator_optimizer):
        (group,) = optimizer.param_groups
        assert tuple(group["betas"]) == (0.0, 0.9)
        assert group["lr"] == 2e-4 * (1 - 4 / 8)


def test_random_numbers_follow_from_seed_and_step() -> None:
    def number(*key: int) -> float:
        seed_step(*key)
        return torch.rand(()).item()

    assert number(1, 2) == number(1, 2)
    assert len({number(1, 2), number(0, 2), number(1, 0)}) == 3
