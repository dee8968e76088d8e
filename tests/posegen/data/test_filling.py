import cv2
import numpy as np
import pytest

from photo_folder import photo, scene, silhouette
from posegen.data.filling import draw_decoys, emptied, fill, grown

SIZE = (128, 128)


@pytest.fixture
def mask() -> np.ndarray:
    return silhouette(3, SIZE)


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def test_what_is_known_stays_and_the_rest_looks_like_it(mask: np.ndarray) -> None:
    image = scene(3, SIZE)
    filled = fill(image, mask, generator())
    assert np.array_equal(filled[mask == 0], image[mask == 0])
    around, inside = (filled[select].astype(float) for select in (mask == 0, mask > 0))
    assert np.abs(inside.mean(axis=0) - around.mean(axis=0)).max() < 16
    assert 0.3 < inside.std() / around.std() < 1.1  # stripes turn into noise


def test_lines_of_the_scene_go_on_in_the_hole() -> None:
    """So that a model learns to cover what lies under its object."""
    mask, image = np.zeros(SIZE, np.uint8), scene(3, SIZE)
    mask[40:90, 30:80] = 255
    filled = fill(image, mask, generator())[40:90, :, 2].astype(float)
    inside, beside = filled[:, 30:80].mean(axis=1), filled[:, 80:].mean(axis=1)
    assert np.corrcoef(inside, beside)[0, 1] > 0.8


def test_nothing_is_known() -> None:
    filled = fill(scene(0, SIZE), np.full(SIZE, 255, np.uint8), generator())
    assert (filled == 128).all()


def test_the_background_holds_nothing_of_the_object(mask: np.ndarray) -> None:
    """Whatever stood there, b is the same."""
    decoys = np.zeros_like(mask)
    first = emptied(photo(3, SIZE), mask, decoys, generator())[1]
    other = photo(3, SIZE)
    other[grown(mask) > 0] = (10, 20, 250)
    assert np.array_equal(first, emptied(other, mask, decoys, generator())[1])
    assert (first[..., 0].astype(int) - first[..., 1] < 60).all()  # nowhere red


def test_photo_and_background_differ_at_the_object_alone(mask: np.ndarray) -> None:
    image = photo(3, SIZE)
    decoys = draw_decoys(mask, [silhouette(8, SIZE)], generator())
    real, background = emptied(image, mask, decoys, generator())
    assert np.array_equal(real[mask > 0], image[mask > 0])
    away = grown(mask) == 0
    assert np.array_equal(real[away], background[away])
    untouched = away & (decoys == 0)
    assert np.array_equal(background[untouched], image[untouched])
    changed = (background != image).any(axis=2)
    assert changed[decoys > 0].mean() > 0.9


def test_decoys_beside_the_object_are_the_same_in_both(mask: np.ndarray) -> None:
    """Even within the rim, where the photo elsewhere fades into the filling."""
    image = photo(3, SIZE)
    decoys = cv2.dilate(mask, np.ones((5, 5), np.uint8)) - mask  # within the rim
    real, background = emptied(image, mask, decoys, generator())
    assert np.array_equal(real[decoys > 0], background[decoys > 0])
    assert (real[decoys > 0] != image[decoys > 0]).any()


def test_decoys_are_other_silhouettes_elsewhere(mask: np.ndarray) -> None:
    others = [silhouette(number, SIZE) for number in range(6)]
    drawn = [draw_decoys(mask, others, np.random.default_rng(seed)) for seed in range(12)]
    assert all(each.dtype == np.uint8 and set(np.unique(each)) == {0, 255} for each in drawn)
    assert not any((each & grown(mask)).any() for each in drawn)
    assert len({each.tobytes() for each in drawn}) == 12
    full = np.full_like(mask, 255)
    assert not draw_decoys(full, others, generator()).any()
