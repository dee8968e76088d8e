"""Every backend on the GPU makes the images that PyTorch made, in every precision."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from posegen_runtime import PoseGenerator
from posegen_runtime.backends.tensorrt import TensorrtBackend
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.selftest import selftest
from tiny_bundle import SIZE, example_mask, example_photo, expected_image

HELD = [p.precision for p in Bundle.load(SHIPPED_BUNDLE).manifest.precisions]
VARIANTS = ("pose", "pose-appearance", "pose-appearance-background")


@pytest.mark.parametrize("precision", HELD)
def test_the_shipped_model_keeps_its_gates(way: BackendName, precision: str) -> None:
    for verdict in selftest(PoseGenerator.load(None, precision, backend=way)):
        print(verdict)
        assert verdict.missed == [], str(verdict)


@pytest.mark.parametrize("arch", ["bottleneck", "spatial"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_of_both_architectures(
    way: BackendName, arch: str, variant: str, exported_bundle: Callable[[str, str], Path]
) -> None:
    bundle = exported_bundle(arch, variant)
    for held in Bundle.load(bundle).manifest.precisions:
        for verdict in selftest(PoseGenerator.load(bundle, held.precision, backend=way)):
            assert verdict.missed == [], str(verdict)


def shipped_inputs(count: int) -> np.ndarray:
    masks = np.zeros((count, *Bundle.load(SHIPPED_BUNDLE).image_size), np.uint8)
    for index, mask in enumerate(masks):
        mask[60 + index % 7 : 190, 40 : 200 + index % 11] = 255
    return masks


@pytest.mark.parametrize("size", [1, 3, 32, 50])
def test_the_size_of_a_batch_changes_no_image(way: BackendName, size: int) -> None:
    """At most a level, in few pixels: where TensorRT cannot promise equal bytes it says so."""
    generator = PoseGenerator.load(None, backend=way)
    masks = shipped_inputs(50)
    whole = generator.generate(masks).astype(int)
    parts = [generator.generate(masks[start : start + size]) for start in range(0, 50, size)]
    difference = np.abs(np.concatenate(parts).astype(int) - whole)
    print(f"batches of {size}: {int((difference > 0).sum())} of {difference.size} values differ")
    assert difference.max() <= 1
    assert difference.mean() <= 0.01


def test_threads_at_the_same_time(way: BackendName) -> None:
    generator = PoseGenerator.load(None, backend=way)
    masks = shipped_inputs(48)
    parts = [masks[start : start + 12] for start in range(0, 48, 12)] * 5
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(generator.generate, parts))
    for part, made in zip(parts, images, strict=True):
        assert np.abs(made.astype(int) - generator.generate(part).astype(int)).max() <= 1


def test_conditions_of_each_row(way: BackendName, tiny_bundle: Path) -> None:
    generator = PoseGenerator.load(tiny_bundle, backend=way)
    masks = np.stack([example_mask(index) for index in range(9)])
    photos = np.stack([example_photo(index, SIZE) for index in range(9)])
    for _ in range(2):
        images = generator.generate(masks, photos, photos[::-1])
        for index in range(9):
            expected = expected_image(masks[index], photos[index], photos[8 - index])
            assert np.abs(images[index].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("adapter", ["cuda-core", "pycuda"])
def test_both_adapters(adapter: str, way: BackendName, monkeypatch: pytest.MonkeyPatch) -> None:
    if way is not BackendName.TENSORRT:
        pytest.skip("ONNX Runtime has its own memory")
    if adapter == "pycuda":
        pytest.importorskip("pycuda.driver")
    monkeypatch.setenv("POSEGEN_CUDA", adapter)
    generator = PoseGenerator.load(None, backend=way)
    for _ in range(3):
        generator.generate(shipped_inputs(70))
    for verdict in selftest(generator):
        assert verdict.missed == [], str(verdict)


def test_full_batches_are_a_cuda_graph(way: BackendName) -> None:
    generator = PoseGenerator.load(None, backend=way)
    generator.generate(shipped_inputs(128))
    backend = generator.backend("generator_cached")
    if not isinstance(backend, TensorrtBackend):
        pytest.skip("ONNX Runtime records none")
    if backend.records_graphs:
        assert all(slot.graph is not None for lane in backend._idle for slot in lane._slots)
