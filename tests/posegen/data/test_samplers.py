from collections.abc import Iterable

import numpy as np
import pytest

from posegen.config import SamplerName
from posegen.data.prepared import Split
from posegen.data.samplers import Batch, IndependentSampler, PairedSampler, build_sampler
from tiny_training import tiny_config

COUNT = 24


@pytest.fixture
def split() -> Split:
    """Every image is one number, so that what was drawn can be read off it; 3 objects."""
    numbers = np.arange(COUNT, dtype=np.uint8)
    images = np.broadcast_to(numbers[:, None, None, None], (COUNT, 2, 2, 3))
    return Split(
        photo=images,
        mask=images[..., 0],
        background=images + 50,
        appearance=images + 100,
        scene=np.arange(COUNT) // 8,
        viewpoint=np.repeat(np.arange(1, COUNT + 1, dtype=np.float32)[:, None], 3, axis=1),
    )


def drawn(batches: Iterable[Batch], name: str) -> list[int]:
    return [int(image.flat[0]) for batch in batches for image in getattr(batch, name)]


@pytest.mark.parametrize("kind", [PairedSampler, IndependentSampler])
def test_a_batch_follows_from_seed_and_step_alone(kind: type, split: Split) -> None:
    straight = [kind(split, 4, seed=1).batch(step) for step in range(9)]
    sampler = kind(split, 4, seed=1)
    resumed = [sampler.batch(step) for step in (7, 8)]
    for name in ("photo", "mask", "appearance", "background"):
        assert drawn(straight[7:], name) == drawn(resumed, name)
    others = [kind(split, 4, seed=2).batch(step) for step in range(9)]
    assert drawn(straight, "photo") != drawn(others, "photo")
    assert drawn(straight[:1], "photo") != drawn(straight[1:2], "photo")


@pytest.mark.parametrize("kind", [PairedSampler, IndependentSampler])
def test_an_epoch_shows_every_photo_once_in_a_new_order(kind: type, split: Split) -> None:
    sampler = kind(split, 5, seed=0)
    photos = drawn([sampler.batch(step) for step in range(24)], "photo")
    epochs = [photos[i : i + COUNT] for i in range(0, 5 * COUNT, COUNT)]
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


@pytest.mark.parametrize("kind", [PairedSampler, IndependentSampler])
def test_the_viewpoint_is_that_of_the_mask_or_withheld(kind: type, split: Split) -> None:
    told = [kind(split, 8, seed=1).batch(step) for step in range(4)]
    masks = drawn(told, "mask")
    assert [b[0] for batch in told for b in batch.viewpoint.tolist()] == [n + 1 for n in masks]
    dropping = kind(split, 8, seed=1, viewpoint_dropout=0.5)
    seen = np.concatenate([dropping.batch(step).viewpoint for step in range(40)])
    assert (seen == seen[:, :1]).all()
    assert 0.4 < (seen[:, 0] == 0).mean() < 0.6
    assert (dropping.batch(3).viewpoint == seen[24:32]).all()


def test_paired_belongs_together(split: Split) -> None:
    sampler = PairedSampler(split, 8, seed=0)
    for step in range(10):
        batch = sampler.batch(step)
        photos = drawn([batch], "photo")
        assert batch.paired
        assert drawn([batch], "mask") == drawn([batch], "photo_mask") == photos
        assert drawn([batch], "background") == [n + 50 for n in photos]
        assert drawn([batch], "photo_background") == [n + 50 for n in photos]
        views = [n - 100 for n in drawn([batch], "appearance")]
        assert [n // 8 for n in views] == [n // 8 for n in photos]


def test_paired_appearances_vary(split: Split) -> None:
    sampler = PairedSampler(split, 8, seed=0)
    batches = [sampler.batch(step) for step in range(60)]
    pairs = set(zip(drawn(batches, "photo"), drawn(batches, "appearance"), strict=True))
    assert len(pairs) > 150  # of 24 × 8


def test_independent_draws_apart(split: Split) -> None:
    sampler = IndependentSampler(split, 8, seed=0)
    batches = [sampler.batch(step) for step in range(60)]
    assert not any(batch.paired for batch in batches)
    values = {
        "photo": drawn(batches, "photo"),
        "mask": drawn(batches, "mask"),
        "appearance": [n - 100 for n in drawn(batches, "appearance")],
        "background": [n - 50 for n in drawn(batches, "background")],
    }
    for name, numbers in values.items():
        assert set(numbers) == set(range(COUNT)), name
        for other, theirs in values.items():
            same = np.mean(np.equal(numbers, theirs))
            assert name == other or same < 0.15, (name, other)
    assert drawn(batches, "photo_mask") == values["photo"]


@pytest.mark.parametrize("kind", [PairedSampler, IndependentSampler])
def test_ranks_share_out_what_one_device_would_see(kind: type, split: Split) -> None:
    alone = kind(split, 4, seed=3, viewpoint_dropout=0.5)
    ranks = [kind(split, 4, 3, rank, 2, viewpoint_dropout=0.5) for rank in (0, 1)]
    for step in range(8):
        whole, parts = alone.batch(step), [rank.batch(step) for rank in ranks]
        for name in ("photo", "photo_mask", "mask", "appearance", "background"):
            assert drawn(parts, name) == drawn([whole], name)
        assert (np.concatenate([part.viewpoint for part in parts]) == whole.viewpoint).all()


def test_build_sampler(split: Split) -> None:
    assert isinstance(build_sampler(tiny_config(), split), PairedSampler)
    independent = build_sampler(tiny_config(sampler=SamplerName.INDEPENDENT), split)
    assert isinstance(independent, IndependentSampler)
