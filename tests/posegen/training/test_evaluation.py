from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from posegen.config import Arch, ModelConfig, Variant
from posegen.data.prepared import Split
from posegen.models import Generator, build_generator
from posegen.training.evaluation import evaluate, fixed_batches, fixed_latent, sample_batch
from posegen.training.samples import sample_grid
from tiny_training import tiny_config

FULL = Variant.POSE_APPEARANCE_BACKGROUND
CPU = torch.device("cpu")
VIEWPOINTS = np.eye(3, dtype=np.float32)[np.arange(10) % 3]


class Grey(Generator):
    """The same grey whatever is asked."""

    def encode(
        self, appearance: Tensor | None = None, background: Tensor | None = None
    ) -> dict[str, Tensor]:
        return {}

    def decode(
        self,
        mask: Tensor | None,
        conditions: dict[str, Tensor],
        latent: Tensor | None = None,
        viewpoint: Tensor | None = None,
    ) -> Tensor:
        assert mask is not None
        return torch.zeros(len(mask), 3, *mask.shape[2:])


@pytest.fixture
def split() -> Split:
    """10 samples, 4 × 4; photo i is 10 i everywhere, backgrounds are white, masks the left half."""
    numbers = np.arange(10, dtype=np.uint8) * 10
    photo = np.broadcast_to(numbers[:, None, None, None], (10, 4, 4, 3))
    mask = np.zeros((10, 4, 4), np.uint8)
    mask[:, :, :2] = 255
    return Split(photo, mask, np.full_like(photo, 255), photo + 1, np.arange(10), VIEWPOINTS)


def config(variant: Variant = FULL) -> ModelConfig:
    return tiny_config(variant=variant).model


def test_figures_worked_out_by_hand(split: Split) -> None:
    figures = evaluate(Grey(config()), fixed_batches(split, config(), CPU, 4))
    expected = np.mean([(n * 10 / 127.5 - 1) ** 2 for n in range(10)])
    assert figures["val_object"] == pytest.approx(expected, rel=1e-5)
    assert figures["val_background"] == pytest.approx(1.0)
    assert figures["val_error"] == pytest.approx(1 + expected, rel=1e-5)


def test_without_a_background_only_the_object_counts(split: Split) -> None:
    model = config(Variant.POSE)
    figures = evaluate(Grey(model), fixed_batches(split, model, CPU, 4))
    assert figures.keys() == {"val_error", "val_object"}


def test_unconditional_has_no_figure(split: Split) -> None:
    model = config(Variant.UNCONDITIONAL)
    assert evaluate(Grey(model), fixed_batches(split, model, CPU, 4)) == {}


def test_evaluation_is_deterministic_and_changes_nothing(split: Split) -> None:
    large = replace(
        split,
        **{
            name: np.repeat(np.repeat(getattr(split, name), 8, axis=1), 8, axis=2)
            for name in ("photo", "mask", "background", "appearance")
        },
    )
    generator = build_generator(config()).eval()
    batches = fixed_batches(large, config(), CPU, 4)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    random = torch.get_rng_state()
    assert evaluate(generator, batches) == evaluate(generator, batches)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(v, before[n]) for n, v in generator.state_dict().items())


def test_batches_cover_all_samples_in_order(split: Split) -> None:
    batches = fixed_batches(split, config(), CPU, 4)
    assert [len(b.photo) for b in batches] == [4, 4, 2]
    photos = torch.cat([b.photo for b in batches])[:, 0, 0, 0]
    torch.testing.assert_close(photos, torch.arange(10) * 10 / 127.5 - 1)
    single = fixed_batches(split, config(), CPU, 10)
    assert [len(b.photo) for b in single] == [10]


def test_the_latent_is_fixed(split: Split) -> None:
    model = tiny_config(arch=Arch.BOTTLENECK, variant=Variant.UNCONDITIONAL).model
    batch = sample_batch(split, model, CPU, 3)
    first, second = fixed_latent(batch, model), fixed_latent(batch, model)
    assert first is not None
    assert second is not None
    assert torch.equal(first, second)
    assert fixed_latent(batch, config()) is None


def test_the_grid_shows_inputs_result_and_photo(split: Split) -> None:
    batch = sample_batch(split, config(), CPU, 2)
    grid = sample_grid(Grey(config()), batch)
    assert grid.shape == (5 * 6, 2 * 6, 3)
    mask, appearance, background, generated, photo = grid.reshape(5, 6, 2, 6, 3)[:, :4, :, :4]
    assert mask[0, 0].tolist() == [[255] * 3, [255] * 3, [0] * 3, [0] * 3]
    assert (appearance[:, 0] == 1).all()
    assert (appearance[:, 1] == 91).all()
    assert (background == 255).all()
    assert np.isin(generated, (127, 128)).all()
    assert (photo[:, 1] == 90).all()


def test_the_grid_shows_no_inputs_that_the_variant_lacks(split: Split) -> None:
    model = config(Variant.POSE)
    grid = sample_grid(Grey(model), sample_batch(split, model, CPU, 2))
    assert grid.shape == (3 * 6, 2 * 6, 3)
