import numpy as np
import pytest

from posegen_calibration.samples import choose, choose_described, describe


def box(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros((64, 64), np.uint8)
    mask[y : y + height, x : x + width] = 255
    return mask


def test_describe_by_hand():
    assert describe(box(8, 16, 32, 16)) == (512 / 4096, 24 / 64, 24 / 64)


def test_describe_refuses_an_empty_mask():
    with pytest.raises(ValueError, match="empty"):
        describe(np.full((64, 64), 127, np.uint8))


def test_rare_masks_are_chosen_where_a_random_draw_would_miss_them():
    generator = np.random.default_rng(1)
    common = [box(28 + x, 28 + y, 6, 4) for x, y in generator.integers(0, 4, (400, 2))]
    rare = [box(0, 30, 6, 4), box(58, 30, 6, 4), box(4, 4, 56, 56), box(30, 0, 6, 4)]
    masks = common[:100] + rare + common[100:]
    for seed in range(5):
        chosen = choose(masks, 24, seed)
        assert len(set(chosen)) == 24
        assert {100, 101, 102, 103} <= set(chosen)


def test_every_stratum_gives_one_before_any_gives_two():
    masks = [
        box(x - size // 2, y - size // 2, size, size)
        for size in (4, 8, 16, 32)
        for x in (16, 32, 48)
        for y in (16, 48)
    ]
    repeated = [m for m in masks for _ in range(5)]
    chosen = choose(repeated, 24, seed=3)
    assert {i // 5 for i in chosen} == set(range(24))


def test_same_seed_same_choice_and_empty_masks_never():
    generator = np.random.default_rng(2)
    masks = [box(int(x), int(y), 8, 8) for x, y in generator.integers(0, 56, (50, 2))]
    masks[7] = np.zeros((64, 64), np.uint8)
    first = choose(iter(masks), 20, seed=5)
    assert first == choose(masks, 20, seed=5) != choose(masks, 20, seed=6)
    assert choose(masks, 100, seed=0) == [i for i in range(50) if i != 7]
    assert choose([], 4, seed=0) == []


def test_headings_split_what_looks_the_same():
    """From ahead and from behind the outline is one; rare headings are chosen all the same."""
    headings = [0.0] * 90 + [np.pi] * 9 + [None]
    features = [(0.1, 0.5, 0.5)] * 100
    chosen = choose_described(features, 3, seed=0, headings=headings)
    assert 99 in chosen
    assert [headings[row] for row in chosen] == [0.0, np.pi, None]
    near_ahead = choose_described(features[:2], 1, seed=0, headings=[0.1, -0.1])
    assert len(near_ahead) == 1


def test_a_heading_s_sector_lies_around_straight_ahead():
    features = [(0.1, 0.5, 0.5)] * 4
    headings = [0.1, -0.1, np.pi / 2 + 0.1, np.pi / 2 - 0.1]
    for seed in range(4):
        chosen = choose_described(features, 2, seed, headings)
        assert {row // 2 for row in chosen} == {0, 1}
