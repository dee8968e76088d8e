import numpy as np
import pytest
import torch

from posegen.config import Arch, ModelConfig, Variant
from posegen.models import build_generator
from posegen_export.export import load_source
from posegen_export.inputs import from_seed
from posegen_export.reference import reference_images
from posegen_export.weights import measure_weights
from posegen_runtime.errors import PoseGenError


class Painted(torch.nn.Module):
    """Grey `level` on the silhouette, black around it."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = level
        self.config = ModelConfig(
            arch=Arch.SPATIAL, preset="tiny", variant=Variant.POSE, image_size=32
        )

    def forward(self, mask: torch.Tensor) -> torch.Tensor:
        return (mask * self.level / 127.5 - 1).expand(-1, 3, -1, -1)


@pytest.fixture
def inputs():
    return from_seed((32, 32), 12, seed=0)


def test_difference_is_taken_inside_the_union(inputs):
    figures = measure_weights(Painted(200), inputs)
    masks = inputs.masks[:8] > 127
    shares = [
        (masks[i] ^ masks[j]).sum() / (masks[i] | masks[j]).sum()
        for i in range(8)
        for j in range(i + 1, 8)
    ]
    assert figures.mask_difference == pytest.approx(200 * np.mean(shares))
    assert figures.missed() == []


def test_weights_that_ignore_the_mask_are_named(inputs):
    missed = measure_weights(Painted(0), inputs).missed()
    assert missed == [
        "output_std 0.0 levels, must be at least 30",
        "mask_difference 0.0 levels, must be at least 10",
    ]


def test_fresh_weights_would_prove_nothing(inputs):
    config = ModelConfig(arch=Arch.BOTTLENECK, preset="tiny", variant=Variant.POSE, image_size=32)
    torch.manual_seed(0)
    assert len(measure_weights(build_generator(config), inputs).missed()) == 2


def test_weights_that_ignore_the_viewpoint_are_named(moving_checkpoint):
    source = load_source(moving_checkpoint("spatial", "pose-appearance-background+viewpoint"))
    inputs = from_seed((64, 64), 8, seed=2)
    moving = measure_weights(source.generator, inputs)
    assert moving.viewpoint_difference > 1
    assert moving.missed() == []
    torch.nn.init.zeros_(source.generator.viewpoint_film[-1].weight)
    assert measure_weights(source.generator, inputs).missed() == [
        "viewpoint_difference 0.0 levels, must be at least 1"
    ]


def test_a_generator_that_makes_nan_is_refused(inputs):
    with pytest.raises(PoseGenError, match="NaN or infinity"):
        reference_images(Painted(float("nan")), inputs.feeds(("mask",), [0]))
