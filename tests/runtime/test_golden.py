"""The golden set as the self-test, the demo and the export read it."""

import cv2
import numpy as np
import pytest

from posegen_runtime import PoseGenError
from posegen_runtime.bundle import Bundle
from posegen_runtime.golden import golden_set
from posegen_runtime.images import read_rgb
from tiny_bundle import write_tiny_bundle


def test_it_holds_the_inputs_that_the_model_takes_and_pytorchs_images(tmp_path):
    bundle = Bundle.load(write_tiny_bundle(tmp_path, golden=6, viewpoint=True))
    feeds, images = golden_set(bundle, "fp32")
    assert list(feeds) == [spec.name for spec in bundle.manifest.inputs]
    for spec in bundle.manifest.inputs:
        assert feeds[spec.name].dtype == spec.dtype
        assert feeds[spec.name].shape[1:] == tuple(spec.shape[1:])
    assert set(np.unique(feeds["mask"])) == {0, 255}
    for row, golden in enumerate(bundle.manifest.golden):
        assert np.array_equal(images[row], read_rgb(bundle.path(golden.image)))
        assert np.array_equal(feeds["viewpoint"][row], np.float32(golden.viewpoint or (0, 0, 0)))


def test_int8_leaves_noise_out(tmp_path):
    bundle = Bundle.load(write_tiny_bundle(tmp_path, "pose", golden=6))
    size = bundle.image_size
    noise = np.random.default_rng(0).integers(0, 2, size, np.uint8) * np.uint8(255)
    cv2.imwrite(str(bundle.path(bundle.manifest.golden[2].mask)), noise)
    every, images = golden_set(bundle, "fp32")
    feeds, counted = golden_set(bundle, "int8")
    assert len(every["mask"]) == 6
    left = [0, 1, 3, 4, 5]
    assert np.array_equal(feeds["mask"], every["mask"][left])
    assert np.array_equal(counted, images[left])


def test_a_bundle_without_one_is_named(tmp_path):
    with pytest.raises(PoseGenError, match="has no golden set to test with; export it again"):
        golden_set(Bundle.load(write_tiny_bundle(tmp_path, golden=0)), "fp32")
