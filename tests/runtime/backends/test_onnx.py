"""ONNX Runtime with conditions that stay in its own memory, as they do with CUDA: the same code,
on the memory of the host."""

from pathlib import Path

import numpy as np
import pytest

from posegen_runtime import PoseGenerator
from posegen_runtime.backends import onnx as backend_module
from posegen_runtime.backends.onnx import CPU, CUDA, PROVIDER_OPTIONS
from tiny_bundle import SIZE, example_mask, example_photo, expected_image

MASKS = np.stack([example_mask(index) for index in range(9)])
PHOTOS = np.stack([example_photo(index, SIZE) for index in range(9)])


def test_kept_conditions_are_bound_where_they_lie(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    monkeypatch.setitem(backend_module.MEMORY, CPU, "cpu")
    made = []
    from_numpy = onnxruntime.OrtValue.ortvalue_from_numpy
    monkeypatch.setattr(
        onnxruntime.OrtValue,
        "ortvalue_from_numpy",
        lambda array, memory, index: made.append(memory) or from_numpy(array, memory, index),
    )
    generator = PoseGenerator.load(tiny_bundle, backend="cpu")
    scene = generator.default("background")
    for _ in range(3):
        shared = generator.generate(MASKS, PHOTOS[0])
        each = generator.generate(MASKS, PHOTOS)
    assert made == ["cpu"] * 2 * 9  # mean and scene of nine pairs, once each
    for index, mask in enumerate(MASKS):
        np.testing.assert_array_equal(shared[index], expected_image(mask, PHOTOS[0], scene))
        np.testing.assert_array_equal(each[index], expected_image(mask, PHOTOS[index], scene))


def test_cuda_computes_fp32_in_fp32() -> None:
    assert PROVIDER_OPTIONS[CUDA]["use_tf32"] == "0"


def test_arrays_that_are_not_contiguous(tiny_bundle: Path) -> None:
    generator = PoseGenerator.load(tiny_bundle, backend="cpu")
    feeds = {"mask": MASKS[::2], "appearance": PHOTOS[::-1][:5], "background": PHOTOS[::2]}
    images = generator.backend("generator").run(feeds)["image"]
    for index in range(5):
        rows = (feeds[name][index] for name in feeds)
        np.testing.assert_array_equal(images[index], expected_image(*rows))
