from dataclasses import replace

import cv2
import numpy as np
import pytest

from photo_folder import photo, scene, silhouette
from posegen.data.prepared import Split
from posegen.data.roughen import (
    MIN_IOU,
    MIN_KEPT,
    SMALLEST_WINDOW,
    RoughSampler,
    draw_window,
    roughen,
    with_roughening,
)
from posegen.data.samplers import Batch, IndependentSampler, PairedSampler
from tiny_training import tiny_config

SIDE = 128
COUNT = 6


@pytest.fixture(scope="module")
def split() -> Split:
    size = (SIDE, SIDE)
    return Split(
        photo=np.stack([photo(i, size) for i in range(COUNT)]),
        mask=np.stack([silhouette(i, size) for i in range(COUNT)]),
        background=np.stack([scene(i, size) for i in range(COUNT)]),
        appearance=np.stack([photo(i, size) for i in range(COUNT)]),
        scene=np.zeros(COUNT, np.int64),
        viewpoint=np.zeros((COUNT, 3), np.float32),
    )


def rough(split: Split, masks: float, crops: float, kind: type = PairedSampler) -> RoughSampler:
    return RoughSampler(kind(split, 4, seed=0), 0, 0, masks, crops)


def arrays(batch: Batch) -> dict[str, np.ndarray]:
    return {name: each for name, each in vars(batch).items() if isinstance(each, np.ndarray)}


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    return float((one & two).astype(bool).sum() / (one | two).astype(bool).sum())


@pytest.mark.parametrize("side", [32, 128, 256])
def test_rough_masks_differ_within_bounds(side: int) -> None:
    mask = cv2.resize(silhouette(1, (SIDE, SIDE)), (side, side), interpolation=cv2.INTER_NEAREST)
    drawn = [roughen(mask, np.random.default_rng(seed)) for seed in range(60)]
    assert all(set(np.unique(each)) == {0, 255} and each.dtype == np.uint8 for each in drawn)
    overlaps = [overlap(mask, each) for each in drawn]
    assert min(overlaps) >= MIN_IOU
    assert 0.8 < np.mean(overlaps) < 0.97
    assert len({each.tobytes() for each in drawn}) > 55
    areas = [np.count_nonzero(each) / np.count_nonzero(mask) for each in drawn]
    assert min(areas) < 0.98
    assert max(areas) > 1.02  # narrower and wider


def test_roughness_stays_near_the_outline() -> None:
    mask = silhouette(1, (SIDE, SIDE))
    far = cv2.dilate(mask, np.ones((41, 41), np.uint8)) == 0
    for seed in range(40):
        assert not roughen(mask, np.random.default_rng(seed))[far].any()


def test_an_empty_mask_stays_empty() -> None:
    assert not roughen(np.zeros((32, 32), np.uint8), np.random.default_rng(0)).any()


def test_a_speck_survives() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[20:22, 30] = 255
    assert all(roughen(mask, np.random.default_rng(seed)).any() for seed in range(30))


def test_both_discriminator_inputs_get_the_rough_mask(split: Split) -> None:
    exact, drawn = PairedSampler(split, 4, 0).batch(3), rough(split, 1, 0).batch(3)
    assert drawn.exact_mask is not None
    assert np.array_equal(drawn.exact_mask, exact.mask)
    assert np.array_equal(drawn.mask, drawn.photo_mask)
    assert all((a != b).any() for a, b in zip(drawn.mask, exact.mask, strict=True))
    assert drawn.exact_photo_mask is not None
    assert np.array_equal(drawn.exact_photo_mask, exact.photo_mask)
    same = replace(
        drawn,
        mask=exact.mask,
        photo_mask=exact.photo_mask,
        exact_mask=None,
        exact_photo_mask=None,
    )
    assert all(np.array_equal(each, arrays(exact)[n]) for n, each in arrays(same).items())


def test_independent_masks_are_roughened_apart(split: Split) -> None:
    exact = IndependentSampler(split, 4, 0).batch(3)
    drawn = rough(split, 1, 0, IndependentSampler).batch(3)
    for name in ("mask", "photo_mask"):
        assert np.array_equal(arrays(drawn)[f"exact_{name}"], arrays(exact)[name])
        pairs = list(zip(arrays(drawn)[name], arrays(exact)[name], strict=True))
        assert all((a != b).any() and overlap(a, b) >= MIN_IOU for a, b in pairs)


@pytest.mark.parametrize("kind", [PairedSampler, IndependentSampler])
def test_crops_move_photo_mask_and_background_together(split: Split, kind: type) -> None:
    exact, drawn = kind(split, 4, 0).batch(3), rough(split, 0, 1, kind).batch(3)
    assert drawn.exact_mask is None
    assert np.array_equal(drawn.appearance, exact.appearance)
    changed = [(a != b).any() for a, b in zip(drawn.photo, exact.photo, strict=True)]
    assert sum(changed) >= 3
    red = drawn.photo[..., 0].astype(int) - drawn.photo[..., 1] > 60
    assert (red == (drawn.photo_mask > 0)).mean() > 0.99
    away = np.stack([cv2.dilate(mask, np.ones((5, 5))) for mask in drawn.photo_mask]) == 0
    assert np.array_equal(drawn.photo[away], drawn.photo_background[away])
    if kind is PairedSampler:
        assert np.array_equal(drawn.mask, drawn.photo_mask)
        assert np.array_equal(drawn.background, drawn.photo_background)


def test_unpaired_masks_and_backgrounds_are_cropped_together(split: Split) -> None:
    """In backgrounds that say where each pixel was: the photo's window and the generator's."""
    rows, columns = np.indices((SIDE, SIDE))
    places = np.stack([2 * columns, 2 * rows, 0 * rows], axis=2).astype(np.uint8)
    told = replace(split, background=np.stack([places] * COUNT))
    exact = arrays(IndependentSampler(told, 4, 0).batch(3))
    drawn = arrays(rough(told, 0, 1, IndependentSampler).batch(3))
    windows = {}
    for side in ("", "photo_"):
        masks, backgrounds = drawn[f"{side}mask"], drawn[f"{side}background"]
        windows[side] = [tuple((each[[0, -1], [0, -1], :2] + 1) // 2) for each in backgrounds]
        for before, after, (first, last) in zip(
            exact[f"{side}mask"], masks, windows[side], strict=True
        ):
            cut = before[first[1] : last[1] + 1, first[0] : last[0] + 1]
            cut = cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            assert np.array_equal(after > 0, cut > 127)
        assert sum(last[0] - first[0] < 0.96 * SIDE for first, last in windows[side]) >= 3
    assert not np.array_equal(windows[""], windows["photo_"])


def test_windows_cut_objects_and_keep_enough_of_them() -> None:
    mask = silhouette(1, (SIDE, SIDE))
    area = np.count_nonzero(mask)
    windows = [draw_window(mask, np.random.default_rng(seed)) for seed in range(60)]
    kept = [np.count_nonzero(mask[w]) / area for w in windows if w is not None]
    assert len(kept) > 50
    assert min(kept) >= MIN_KEPT
    assert sum(share < 0.99 for share in kept) > 10
    for window in windows:
        if window is not None:
            height, width = mask[window].shape
            assert height == width >= round(SMALLEST_WINDOW * SIDE)
    assert draw_window(np.zeros_like(mask), np.random.default_rng(0)) is None


def test_shares(split: Split) -> None:
    sampler = rough(split, 0.5, 0)
    batches = [sampler.batch(step) for step in range(50)]
    changed = np.mean(
        [
            (one != other).any()
            for batch in batches
            for one, other in zip(batch.mask, np.asarray(batch.exact_mask), strict=True)
        ]
    )
    assert 0.4 < changed < 0.6


def test_a_batch_follows_from_seed_and_step_alone(split: Split) -> None:
    straight = [rough(split, 0.5, 0.5).batch(step) for step in range(4)]
    alone = rough(split, 0.5, 0.5).batch(3)
    assert all(np.array_equal(each, arrays(straight[3])[n]) for n, each in arrays(alone).items())
    other = replace(rough(split, 0.5, 0.5), seed=1).batch(3)
    assert not np.array_equal(other.mask, alone.mask)


def test_ranks_share_out_what_one_device_would_see(split: Split) -> None:
    one = rough(split, 0.7, 0.7).batch(2)
    parts = [
        RoughSampler(PairedSampler(split, 4, 0, rank, 2), 0, rank, 0.7, 0.7).batch(2)
        for rank in (0, 1)
    ]
    for name in ("photo", "mask", "background"):
        joined = np.concatenate([arrays(part)[name] for part in parts])
        assert np.array_equal(joined, arrays(one)[name])


def test_the_split_stays_as_it_is(split: Split) -> None:
    before = split.mask.copy(), split.photo.copy()
    rough(split, 1, 1).batch(0)
    assert np.array_equal(before[0], split.mask)
    assert np.array_equal(before[1], split.photo)


def test_only_where_asked(split: Split) -> None:
    sampler = PairedSampler(split, 4, 0)
    assert with_roughening(sampler, tiny_config()) is sampler
    wrapped = with_roughening(sampler, tiny_config(rough_masks=0.3, crops=0.2, seed=5), rank=1)
    assert wrapped == RoughSampler(sampler, 5, 1, 0.3, 0.2)
