import json

import msgspec
import pytest

from posegen.config import (
    BOTTLENECK_CAPACITIES,
    N_Z,
    Arch,
    ModelConfig,
    TrainConfig,
    Variant,
)

CONFIG = TrainConfig(
    model=ModelConfig(arch=Arch.BOTTLENECK, preset="paper", variant=Variant.POSE_APPEARANCE)
)


def test_the_defaults_are_the_papers() -> None:
    """Section 5.4 and the published code, as the checklist lists them."""
    assert CONFIG.model.image_size == 256
    assert (CONFIG.learning_rate, CONFIG.adam_betas) == (2e-4, (0.0, 0.9))
    assert CONFIG.learning_rate_decay
    assert (CONFIG.batch_size, N_Z) == (64, 256)
    assert (CONFIG.steps, CONFIG.evaluate_every) == (75_000, 500)
    paper = BOTTLENECK_CAPACITIES["paper"]
    assert (paper.ndf, paper.ngf, paper.bottom_width) == (1024, 512, 4)


@pytest.mark.parametrize(
    ("variant", "inputs"),
    [
        (Variant.UNCONDITIONAL, ()),
        (Variant.AUTOENCODER, ("appearance",)),
        (Variant.POSE, ("mask",)),
        (Variant.POSE_APPEARANCE, ("mask", "appearance")),
        (Variant.POSE_APPEARANCE_BACKGROUND, ("mask", "appearance", "background")),
    ],
)
def test_inputs_come_in_the_order_of_every_graph(variant: Variant, inputs: tuple[str, ...]) -> None:
    assert variant.inputs == inputs


def test_a_configuration_survives_json() -> None:
    """Also in the words that stand in the checkpoints of earlier versions."""
    stored = json.loads(msgspec.json.encode(CONFIG))
    assert (stored["sampler"], stored["precision"]) == ("paired", "32")
    assert msgspec.convert(stored, TrainConfig) == CONFIG
    del stored["covered"]  # an option that came later
    assert msgspec.convert(stored, TrainConfig) == CONFIG
