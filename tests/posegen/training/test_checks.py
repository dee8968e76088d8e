"""Configurations that would train nothing, or in which an option would do nothing."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from posegen.config import LossConfig, SamplerName, Variant
from posegen.data.samplers import Batch
from posegen.training.checks import check_config
from posegen.training.step import reconstruction
from posegen.training.tensors import to_tensors
from posegen_runtime.errors import PoseGenError
from tiny_training import tiny_config

FULL = Variant.POSE_APPEARANCE_BACKGROUND
WITHOUT_MASK = [Variant.UNCONDITIONAL, Variant.AUTOENCODER]
WITHOUT_BACKGROUND = [*WITHOUT_MASK, Variant.POSE, Variant.POSE_APPEARANCE]
INDEPENDENT: dict[str, Any] = {"sampler": SamplerName.INDEPENDENT}


def check(variant: Variant = FULL, weights: dict[str, float] | None = None, **changes: Any) -> None:
    check_config(tiny_config(variant=variant, loss=LossConfig(**(weights or {})), **changes))


@pytest.mark.parametrize("variant", Variant)
def test_the_defaults_fit_every_variant(variant: Variant) -> None:
    check(variant)


@pytest.mark.parametrize("variant", [Variant.POSE, Variant.POSE_APPEARANCE])
def test_independent_masks_need_a_background(variant: Variant) -> None:
    with pytest.raises(PoseGenError, match=f"--sampler independent: .* variant {variant.value} "):
        check(variant, **INDEPENDENT)


@pytest.mark.parametrize("variant", WITHOUT_MASK)
def test_features_need_a_mask(variant: Variant) -> None:
    with pytest.raises(PoseGenError, match=f"--lambda-features 5: variant {variant.value} takes "):
        check(variant, {"lambda_features": 5})


def test_features_need_a_paired_sample() -> None:
    check(weights={"lambda_features": 5})
    with pytest.raises(PoseGenError, match=r"--lambda-features 0\.5: --sampler independent draws"):
        check(weights={"lambda_features": 0.5}, **INDEPENDENT)


@pytest.mark.parametrize("variant", WITHOUT_BACKGROUND)
def test_shadowless_needs_a_background(variant: Variant) -> None:
    with pytest.raises(PoseGenError, match=f"--shadowless: variant {variant.value} takes no back"):
        check(variant, shadowless=True)


def test_shadowless_needs_a_discriminator() -> None:
    check(shadowless=True)
    check(weights={"lambda_gan": 0, "lambda_features": 1}, shadowless=True)
    with pytest.raises(PoseGenError, match="--shadowless: changes what the discriminator sees"):
        check(weights={"lambda_gan": 0}, shadowless=True)


def test_equation_6_alone_is_enough() -> None:
    check(weights={"lambda_gan": 0, "lambda_object": 0}, **INDEPENDENT)
    with pytest.raises(PoseGenError, match="--lambda-gan, --lambda-background: no loss is left"):
        check(weights={"lambda_gan": 0, "lambda_background": 0}, **INDEPENDENT)


@pytest.mark.parametrize("sampler", SamplerName)
@pytest.mark.parametrize("variant", Variant)
def test_without_a_discriminator_a_term_of_the_reconstruction_is_left(
    variant: Variant, sampler: SamplerName
) -> None:
    """Refused where `reconstruction` comes to nothing, and nowhere else."""
    if sampler is SamplerName.INDEPENDENT and variant.uses_mask and not variant.uses_background:
        return  # refused for another reason
    image, mask = np.full((1, 32, 32, 3), 9, np.uint8), np.zeros((1, 32, 32), np.uint8)
    mask[:, :16] = 255
    paired = sampler is SamplerName.PAIRED
    batch = Batch(image, mask, image, mask, image, image, np.zeros((1, 3), np.float32), paired)
    for outside, inside in product((0.0, 1.0), repeat=2):
        weights = LossConfig(lambda_gan=0, lambda_background=outside, lambda_object=inside)
        config = tiny_config(variant=variant, sampler=sampler, loss=weights)
        tensors = to_tensors(batch, config.model, torch.device("cpu"))
        terms = reconstruction(torch.ones_like(tensors.photo), tensors, config)
        if sum(float(term) for term in terms.values()) > 0:
            check_config(config)
        else:
            with pytest.raises(PoseGenError, match="no loss is left"):
                check_config(config)


@pytest.mark.parametrize("variant", WITHOUT_MASK)
def test_rough_masks_need_a_mask(variant: Variant) -> None:
    check(rough_masks=0.5)
    with pytest.raises(PoseGenError, match=r"--rough-masks 0\.5: variant .* takes no mask; leave"):
        check(variant, rough_masks=0.5)


@pytest.mark.parametrize("variant", WITHOUT_BACKGROUND)
def test_covering_needs_a_background(variant: Variant) -> None:
    check(covered=0.5)
    with pytest.raises(
        PoseGenError, match=r"--covered 0\.5: variant .* takes no background; leave"
    ):
        check(variant, covered=0.5)


def test_covering_needs_a_paired_sample() -> None:
    with pytest.raises(PoseGenError, match=r"--covered 1: --sampler independent .*; use --sampler"):
        check(covered=1.0, **INDEPENDENT)
