"""Foreign pixels under the object: where they lie, where they come from, and nothing else."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from photo_folder import photo, silhouette
from posegen.data.covering import CoveredSampler, inner, with_covering
from posegen.data.prepared import Split
from posegen.data.roughen import RoughSampler
from posegen.data.samplers import Batch, PairedSampler
from tiny_training import tiny_config

SIDE = 64
COUNT = 5
MARK = 40
"""Background i is i * MARK in red, its row in green and its column in blue."""


@pytest.fixture(scope="module")
def split() -> Split:
    size = (SIDE, SIDE)
    rows, columns = np.indices((SIDE, SIDE))
    places = [np.stack([rows * 0 + i * MARK, rows, columns], axis=2) for i in range(COUNT)]
    return Split(
        photo=np.stack([photo(i, size) for i in range(COUNT)]),
        mask=np.stack([silhouette(i, size) for i in range(COUNT)]),
        background=np.stack(places).astype(np.uint8),
        appearance=np.stack([photo(i, size) for i in range(COUNT)]),
        scene=np.zeros(COUNT, np.int64),
        viewpoint=np.zeros((COUNT, 3), np.float32),
    )


def covered(split: Split, share: float, seed: int = 0, rank: int = 0, world: int = 1) -> Batch:
    sampler = PairedSampler(split, 4, 0, rank, world)
    return CoveredSampler(sampler, split.background, seed, rank, share).batch(3)


def arrays(batch: Batch) -> dict[str, np.ndarray]:
    return {name: each for name, each in vars(batch).items() if isinstance(each, np.ndarray)}


def test_only_what_lies_inside_the_mask_changes(split: Split) -> None:
    before, after = PairedSampler(split, 4, 0).batch(3), covered(split, 1)
    for i, mask in enumerate(after.mask):
        changed = (after.background[i] != before.background[i]).any(axis=2)
        assert np.array_equal(changed, inner(mask))
        assert changed.sum() > 0.6 * (mask > 0).sum()
        assert not changed[mask == 0].any()
    kept = replace(after, background=before.background, photo_background=before.photo_background)
    assert all(np.array_equal(each, arrays(before)[n]) for n, each in arrays(kept).items())


def test_the_discriminator_sees_the_same_background_beside_both(split: Split) -> None:
    batch = covered(split, 1)
    assert np.array_equal(batch.background, batch.photo_background)


def test_the_pixels_come_from_another_place_of_some_background(split: Split) -> None:
    """All of one object's from one background, moved by a quarter of the side at least."""
    batch = covered(split, 1)
    sources = set()
    for image, mask in zip(batch.background, batch.mask, strict=True):
        found = inner(mask)
        source, row, column = image[found].T.astype(int)
        rows, columns = np.nonzero(found)
        for moved in ((rows - row) % SIDE, (columns - column) % SIDE):
            assert len(np.unique(moved)) == 1
            assert SIDE // 4 <= moved[0] <= SIDE - SIDE // 4
        assert len(np.unique(source)) == 1
        sources.add(int(source[0]) // MARK)
    assert len(sources) > 1


def test_the_outline_and_the_borders_of_the_image() -> None:
    """The outermost pixels stay; where the image cuts the object there is no outline."""
    mask = np.zeros((16, 16), np.uint8)
    mask[4:12, :8] = 255
    expected = np.zeros((16, 16), bool)
    expected[5:11, :7] = True
    assert np.array_equal(inner(mask), expected)
    assert not inner(np.zeros((16, 16), np.uint8)).any()


def test_the_seam_follows_the_mask_that_is_given(split: Split) -> None:
    """Of a roughened mask: a seam along the exact one would give that away."""
    rough = RoughSampler(PairedSampler(split, 4, 0), 0, 0, rough_masks=1, crops=0)
    before = rough.batch(3)
    after = CoveredSampler(rough, split.background, 0, 0, 1).batch(3)
    assert after.exact_mask is not None
    for i, mask in enumerate(after.mask):
        changed = (after.background[i] != before.background[i]).any(axis=2)
        assert np.array_equal(changed, inner(mask))
        assert not np.array_equal(changed, inner(after.exact_mask[i]))


def test_what_is_asked_for_outside_stays_true(split: Split) -> None:
    """Where Eq. 6 counts, background and photo agree as before: no sample contradicts itself."""
    whole = replace(split, background=split.photo)
    batch = CoveredSampler(PairedSampler(whole, 4, 0), whole.background, 0, 0, 1).batch(3)
    outside = batch.mask == 0
    assert np.array_equal(batch.background[outside], batch.photo[outside])
    assert (batch.background[~outside] != batch.photo[~outside]).any()


def test_shares(split: Split) -> None:
    plain = PairedSampler(split, 4, 0)
    sampler = CoveredSampler(plain, split.background, 0, 0, 0.3)
    changed = np.mean(
        [
            (one != other).any()
            for step in range(60)
            for one, other in zip(
                sampler.batch(step).background, plain.batch(step).background, strict=True
            )
        ]
    )
    assert 0.2 < changed < 0.4


def test_a_batch_follows_from_seed_and_step_alone(split: Split) -> None:
    sampler = CoveredSampler(PairedSampler(split, 4, 0), split.background, 0, 0, 1)
    straight = [sampler.batch(step) for step in range(4)]
    assert np.array_equal(straight[3].background, covered(split, 1).background)
    assert not np.array_equal(straight[3].background, covered(split, 1, seed=1).background)


def test_ranks_share_out_what_one_device_would_see(split: Split) -> None:
    parts = [covered(split, 0.7, rank=rank, world=2).background for rank in (0, 1)]
    assert np.array_equal(np.concatenate(parts), covered(split, 0.7).background)


def test_a_single_sample_is_enough(split: Split) -> None:
    one = Split(**{name: each[:1] for name, each in vars(split).items()})
    sampler = CoveredSampler(PairedSampler(one, 1, 0), one.background, 0, 0, 1)
    batch = sampler.batch(0)
    assert (batch.background != one.background).any(axis=3).sum() == inner(one.mask[0]).sum()


def test_the_split_stays_as_it_is(split: Split) -> None:
    before = split.background.copy()
    covered(split, 1)
    assert np.array_equal(before, split.background)


def test_only_where_asked(split: Split) -> None:
    sampler = PairedSampler(split, 4, 0)
    assert with_covering(sampler, tiny_config(), split.background) is sampler
    wrapped = with_covering(sampler, tiny_config(covered=0.3, seed=5), split.background, rank=1)
    assert isinstance(wrapped, CoveredSampler)
    assert (wrapped.sampler, wrapped.seed, wrapped.rank, wrapped.share) == (sampler, 5, 1, 0.3)


def test_lines_of_a_scene_come_under_the_object_of_a_photo_that_has_none() -> None:
    """Fillings lie under all objects, at the same place; what covers them must not be one too."""
    mask = silhouette(1, (SIDE, SIDE))
    stripes = np.where(np.indices((SIDE, SIDE))[1] % 8 < 4, 255, 0)
    smooth = np.where(cv2.dilate(mask, np.ones((5, 5), np.uint8)) > 0, 128, stripes)
    scene = np.repeat(smooth[..., None], 3, axis=2).astype(np.uint8)
    split = Split(
        photo=scene[None],
        mask=mask[None],
        background=scene[None],
        appearance=scene[None],
        scene=np.zeros(1, np.int64),
        viewpoint=np.zeros((1, 3), np.float32),
    )
    sampler = CoveredSampler(PairedSampler(split, 1, 0), split.background, 0, 0, 1)
    inside = inner(mask)
    striped = [(sampler.batch(step).background[0, inside] != 128).mean() for step in range(20)]
    assert np.mean(striped) > 0.5
