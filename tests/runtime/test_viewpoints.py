"""Viewpoints reach the image through the Python interface, and axes turn into one frame."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.choices import Axis
from posegen_runtime.viewpoints import to_training_frame
from tiny_bundle import (
    SIZE,
    example_mask,
    example_photo,
    expected_image,
    write_tiny_bundle,
)

MASKS = np.stack([example_mask(index) for index in range(9)])
PHOTO, SCENE = example_photo(0, SIZE), example_photo(1, SIZE)
ROUND = np.float32([[np.cos(a), np.sin(a), 0] for a in np.linspace(0, 5, 9)])
FRONT, REAR = np.float32([1, 0, 0]), np.float32([-1, 0, 0])


@pytest.fixture(scope="module")
def generator(viewpoint_bundle: Path) -> PoseGenerator:
    return PoseGenerator.load(viewpoint_bundle, threads=1)


def distance(images: np.ndarray, others: np.ndarray) -> int:
    return int(np.abs(images.astype(int) - others.astype(int)).max())


def test_each_mask_is_seen_from_its_own_side(generator: PoseGenerator) -> None:
    images = generator.generate(MASKS, PHOTO, SCENE, ROUND)
    expected = [expected_image(m, PHOTO, SCENE, v) for m, v in zip(MASKS, ROUND, strict=True)]
    assert distance(images, np.stack(expected)) <= 1
    one_by_one = [generator.generate(MASKS[i], PHOTO, SCENE, ROUND[i])[0] for i in range(9)]
    np.testing.assert_array_equal(images, np.stack(one_by_one))


def test_opposite_viewpoints_give_other_images_of_the_same_mask(generator: PoseGenerator) -> None:
    front, rear = (generator.generate(MASKS, PHOTO, SCENE, v) for v in (FRONT, REAR))
    assert distance(front, rear) > 20
    assert distance(front[:, :2], rear[:, :2]) == 0  # the background stays


def test_no_viewpoint_is_zeros(generator: PoseGenerator) -> None:
    unknown = generator.generate(MASKS, PHOTO, SCENE, np.zeros((9, 3), np.float32))
    np.testing.assert_array_equal(generator.generate(MASKS, PHOTO, SCENE), unknown)


def test_a_model_without_conditions_takes_it_too(tmp_path: Path) -> None:
    bundle = PoseGenerator.load(write_tiny_bundle(tmp_path, "pose", viewpoint=True), threads=1)
    grey = np.full((SIZE, SIZE, 3), 128, np.uint8)
    images = bundle.generate(MASKS[0], viewpoint=FRONT)
    assert distance(images[0], expected_image(MASKS[0], grey, grey, FRONT)) <= 1
    assert distance(images, bundle.generate(MASKS[0], viewpoint=REAR)) > 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 0, 0], "viewpoint: list; must be a float32 array"),
        (np.array([1, 0, 0]), "viewpoint: int64; must be a float32 array"),
        (np.zeros((2, 3)), r"viewpoint: shape \(2, 3\); must be \[3\] or \[9, 3\]"),
        (ROUND * 2, r"viewpoint: row 0 is \[2.0, 0.0, 0.0\]; must be a unit vector, or zeros"),
        (np.array([np.nan, 0, 0]), "viewpoint: row 0 is"),
        (np.array([np.inf, 0, 0]), "viewpoint: row 0 is"),
    ],
)
def test_what_is_no_viewpoint(generator: PoseGenerator, given: Any, message: str) -> None:
    with pytest.raises(PoseGenError, match=message) as caught:
        generator.generate(MASKS, PHOTO, SCENE, given)
    assert "\n" not in str(caught.value)


def test_a_model_that_takes_none_refuses_it(tiny_bundle: Path) -> None:
    with pytest.raises(PoseGenError, match=r"viewpoint: this bundle .* takes none; leave it out"):
        PoseGenerator.load(tiny_bundle).generate(MASKS, PHOTO, SCENE, FRONT)


@pytest.mark.parametrize("up", list(Axis))
@pytest.mark.parametrize("forward", list(Axis))
def test_axes_turn_into_the_training_frame(forward: Axis, up: Axis) -> None:
    if forward.value[-1] == up.value[-1]:
        with pytest.raises(PoseGenError, match=f"--model-up {up.value}: lie on one line"):
            to_training_frame(forward, up)
        return
    turn = to_training_frame(forward, up)
    assert np.linalg.det(turn) == 1
    for axis, seen in ((forward, (1, 0, 0)), (up, (0, 0, 1))):
        unit = np.eye(3)["xyz".index(axis.value[-1])] * (-1 if "-" in axis.value else 1)
        np.testing.assert_array_equal(turn @ unit, seen)


def test_an_input_of_a_later_version_is_named(tmp_path: Path) -> None:
    normals = {"name": "normals", "dtype": "uint8", "shape": ["N", SIZE, SIZE, 3]}
    mask = {"name": "mask", "dtype": "uint8", "shape": ["N", SIZE, SIZE]}
    bundle = write_tiny_bundle(tmp_path, "pose", inputs=[mask, normals])
    with pytest.raises(PoseGenError, match="takes normals, which this version cannot give"):
        PoseGenerator.load(bundle)
