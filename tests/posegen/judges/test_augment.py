"""Augmented pictures keep what they teach: silhouette and azimuth follow the picture."""

import numpy as np
import pytest

from arrow_dataset import arrow
from posegen.judges.augment import Views, _add_noise, _recolour, augment, degrade, shift_edges

COUNT = 40


@pytest.fixture(scope="module")
def views() -> Views:
    generator = np.random.default_rng(1)
    azimuth = generator.uniform(-3, 3, COUNT)
    photos, masks, _ = zip(*(arrow(a, generator) for a in azimuth), strict=True)
    return Views(np.stack(photos), np.stack(masks), azimuth)


def moved(views: Views, damages: bool = False, seed: int = 0) -> Views:
    return augment(views, np.roll(views.mask, 1, 0), np.random.default_rng(seed), damages)


def front_minus_rear(image: np.ndarray) -> np.ndarray:
    """From the white pixels' centre to the red ones', (x, y)."""
    levels = image.astype(int)
    red = (levels[..., 0] > 200) & (levels[..., 1] < 90)
    white = levels.min(axis=-1) > 200
    centres = [np.array(where.nonzero()[::-1]).mean(1) for where in (red, white)]
    return centres[0] - centres[1]


def test_the_azimuth_follows_a_mirrored_picture(views: Views) -> None:
    after = moved(views)
    mirrored = np.sign(after.azimuth) != np.sign(views.azimuth)
    assert 5 < mirrored.sum() < COUNT - 5
    for image, azimuth in zip(after.image, after.azimuth, strict=True):
        across, down = front_minus_rear(image)
        seen = np.arctan2(-across, down / 0.6)
        assert abs(np.angle(np.exp(1j * (seen - azimuth)))) < np.radians(35)


def test_the_silhouette_follows_the_picture(views: Views) -> None:
    after = moved(views)
    assert set(np.unique(after.mask)) == {0, 255}
    for image, mask in zip(after.image, after.mask, strict=True):
        bright = image[..., 0] > 150
        assert np.mean(bright != (mask > 127)) < 0.03


def test_the_same_seed_gives_the_same_pictures(views: Views) -> None:
    first, again, other = moved(views, True), moved(views, True), moved(views, True, seed=1)
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)


def test_damage_changes_levels_and_nothing_else(views: Views) -> None:
    generator = np.random.default_rng(0)
    damaged = [degrade(i, m, m, generator) for i, m in zip(views.image, views.mask, strict=True)]
    changes = [np.abs(d.astype(int) - i).mean() for d, i in zip(damaged, views.image, strict=True)]
    assert all(d.shape == i.shape for d, i in zip(damaged, views.image, strict=True))
    assert min(changes) > 0.5
    assert 5 < np.mean(changes) < 60


def test_noise_keeps_the_mean() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    noisy = [_add_noise(grey, np.random.default_rng(seed)) for seed in range(20)]
    assert np.mean(noisy) == pytest.approx(128, abs=0.1)


def test_damage_falls_on_all_on_the_object_or_on_another(views: Views) -> None:
    """Where it falls must not tell where the object is, so none of them may be missing."""
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    own, other = (np.zeros((64, 64), np.uint8) for _ in range(2))
    own[24:40, 4:20] = other[24:40, 44:60] = 255
    seen = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for seed in range(300):
        damaged = degrade(image, own, other, np.random.default_rng(seed))
        clean = _recolour(image, np.random.default_rng(seed))
        differs = (damaged != clean).any(axis=2)
        seen[bool(differs[own > 0].any()), bool(differs[other > 0].any())] += 1
    both, mine, others, none = seen.values()
    assert both > 80
    assert mine > 30
    assert others > 30
    assert none < 100


def test_rough_silhouettes_differ_at_their_edges_only(views: Views) -> None:
    rough = shift_edges(views.mask, np.random.default_rng(0))
    assert set(np.unique(rough)) == {0, 255}
    differ = (rough != views.mask).sum((1, 2)) / (views.mask > 0).sum((1, 2))
    assert 0.01 < differ.mean() < 0.3
