"""The TensorRT backend on a fake GPU that really moves bytes: what is split, padded, overlapped,
reused, recorded and shared by threads comes out as the right images."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from fake_gpu import FakeDevice, FakeStream, busy
from fake_tensorrt import (
    CudaGraphStrategy,
    DynamicShapes,
    FakeTensorRT,
    save_engine,
)
from posegen_runtime import PoseGenError
from posegen_runtime.backends.tensorrt import TensorrtBackend
from posegen_runtime.bundle import Bundle
from posegen_runtime.engines.cache import EngineFile
from posegen_runtime.engines.flavors import Flavor
from tiny_bundle import SIZE, example_mask, example_photo, expected_image

MASKS = np.stack([example_mask(index) for index in range(23)])
PHOTOS = np.stack([example_photo(index, SIZE) for index in range(23)])
SCENES = np.stack([example_photo(40 + index, SIZE) for index in range(23)])
Open = Callable[..., TensorrtBackend]


@pytest.fixture
def open_engine(tiny_bundle: Path, tmp_path: Path) -> Open:
    """A backend of the tiny bundle's uncached generator, by profile and device."""

    def open_it(
        profile: tuple[int, int, int] = (1, 4, 4),
        device: FakeDevice | None = None,
        flavor: Flavor = Flavor.TENSORRT,
    ) -> TensorrtBackend:
        bundle = Bundle.load(tiny_bundle)
        gpu = device or FakeDevice()
        file = save_engine(bundle, "generator", tmp_path, profile)
        graph = bundle.precision("fp32").graphs["generator"]
        return TensorrtBackend(file, FakeTensorRT(gpu, flavor), gpu, graph)  # type: ignore[arg-type]

    return open_it


def feeds(rows: slice) -> dict[str, np.ndarray]:
    return {"mask": MASKS[rows], "appearance": PHOTOS[rows], "background": SCENES[rows]}


def expected(rows: slice) -> np.ndarray:
    return np.stack(
        [
            expected_image(*each)
            for each in zip(MASKS[rows], PHOTOS[rows], SCENES[rows], strict=True)
        ]
    )


def contexts(backend: TensorrtBackend) -> Any:
    return backend._tensorrt.contexts  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 23])
def test_any_number_of_images_is_split_into_batches(
    open_engine: Open, count: int, seed: int
) -> None:
    backend = open_engine(device=FakeDevice(seed))
    images = backend.run(feeds(slice(0, count)))["image"]
    np.testing.assert_array_equal(images, expected(slice(0, count)))
    assert sorted(n for context in contexts(backend) for n in context.batches) == sorted(
        [4] * (count // 4) + [count % 4] * (count % 4 > 0)
    )


def test_a_batch_that_is_too_small_is_padded_and_the_padding_dropped(open_engine: Open) -> None:
    backend = open_engine((3, 4, 4))
    for count in (1, 2, 3, 5):
        images = backend.run(feeds(slice(0, count)))["image"]
        np.testing.assert_array_equal(images, expected(slice(0, count)))
    assert [n for context in contexts(backend) for n in context.batches].count(3) == 4


@pytest.mark.parametrize("seed", range(6))
def test_full_batches_are_recorded_once_and_replayed(open_engine: Open, seed: int) -> None:
    """Each slot of buffers has a graph; batches of other sizes in between do not spoil it."""
    backend = open_engine(device=FakeDevice(seed))
    for rows in (slice(0, 20), slice(3, 5), slice(1, 22), slice(0, 4)):
        np.testing.assert_array_equal(backend.run(feeds(rows))["image"], expected(rows))
    (lane,) = backend._idle
    graphs = [slot.graph for slot in lane._slots]
    assert sum(graph.launches for graph in graphs) == 9  # type: ignore[union-attr]
    assert len(contexts(backend)) == 3


def test_an_adapter_without_graphs_makes_the_same_images(open_engine: Open) -> None:
    backend = open_engine(device=FakeDevice(graphs=False))
    for rows in (slice(0, 20), slice(1, 22)):
        np.testing.assert_array_equal(backend.run(feeds(rows))["image"], expected(rows))
    (lane,) = backend._idle
    assert all(slot.graph is None for slot in lane._slots)
    waits = []
    lane._computes.synchronize = _spy(lane._computes.synchronize, lambda: waits.append(1))  # type: ignore[method-assign]
    backend.run(feeds(slice(0, 20)))
    assert waits == []  # nothing is recorded, so nothing has to end first


def test_a_capture_that_fails_costs_only_speed(
    open_engine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(stream: Any, work: Any) -> None:
        raise RuntimeError("not capturable")

    monkeypatch.setattr("fake_gpu.FakeStream.capture", fail)
    images = open_engine().run(feeds(slice(0, 20)))["image"]
    np.testing.assert_array_equal(images, expected(slice(0, 20)))


def test_tensorrt_rtx_records_graphs_itself(open_engine: Open) -> None:
    backend = open_engine(flavor=Flavor.RTX)
    np.testing.assert_array_equal(backend.run(feeds(slice(0, 9)))["image"], expected(slice(0, 9)))
    for context in contexts(backend):
        assert context.config.cuda_graph_strategy is CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        kernels = context.config.dynamic_shapes_kernel_specialization_strategy
        assert kernels is DynamicShapes.EAGER
    assert all(slot.graph is None for slot in backend._idle[0]._slots)


def test_tensorrt_rtx_records_each_slot_once(open_engine: Open) -> None:
    """It records anew when an address differs from the last call's, and slots take turns."""
    backend = open_engine(flavor=Flavor.RTX)
    for rows in (slice(0, 20), slice(1, 22)):
        np.testing.assert_array_equal(backend.run(feeds(rows))["image"], expected(rows))
    assert [(context.captures, context.batches) for context in contexts(backend)] == [
        (1, [4] * 6),
        (1, [4] * 4),
        (1, [1]),
    ]


def test_copies_overlap_with_compute(open_engine: Open) -> None:
    """While a batch is computed the next one is uploaded already, into other buffers."""
    device = FakeDevice()
    backend = open_engine(device=device)
    backend.run(feeds(slice(0, 8)))
    (lane,) = backend._idle
    waiting = []
    lane._uploads.upload = _spy(lane._uploads.upload, lambda: waiting.append(busy(device)))  # type: ignore[method-assign]
    backend.run(feeds(slice(0, 8)))
    compute = lane._computes.handle
    assert compute not in waiting[0]
    assert compute in waiting[3]  # first upload of the second batch, the first being computed
    assert not busy(device)


def _spy(call: Callable[..., Any], before: Callable[[], None]) -> Callable[..., Any]:
    def spied(*arguments: Any) -> Any:
        before()
        return call(*arguments)

    return spied


@pytest.mark.parametrize("seed", range(3))
def test_threads_have_contexts_of_their_own(open_engine: Open, seed: int) -> None:
    backend = open_engine(device=FakeDevice(seed))
    parts = [slice(start, start + 5) for start in range(0, 20, 5)] * 3
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda rows: backend.run(feeds(rows))["image"], parts))
    for rows, images in zip(parts, results, strict=True):
        np.testing.assert_array_equal(images, expected(rows))
    assert 1 <= len(backend._idle) <= 4
    assert len(contexts(backend)) == 2 * len(backend._idle)


def test_nobody_makes_a_context_while_another_records(
    open_engine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorRT may wait for the whole device then, which breaks a recording."""
    backend, capture = open_engine(), FakeStream.capture
    others: list[Future[Any]] = []

    with ThreadPoolExecutor(1) as pool:

        def slow(stream: FakeStream, work: Callable[[], None]) -> Any:
            def work_while_others_begin() -> None:
                work()
                if not others:
                    others.append(pool.submit(backend.run, feeds(slice(0, 2))))
                    wait(others, timeout=0.1)

            return capture(stream, work_while_others_begin)

        monkeypatch.setattr(FakeStream, "capture", slow)
        np.testing.assert_array_equal(
            backend.run(feeds(slice(0, 8)))["image"], expected(slice(0, 8))
        )
        np.testing.assert_array_equal(others[0].result()["image"], expected(slice(0, 2)))


def test_a_lane_that_failed_is_not_used_again(
    open_engine: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = FakeDevice()
    backend = open_engine(device=device)
    with monkeypatch.context() as patch:
        patch.setattr("fake_tensorrt.FakeContext.execute_async_v3", lambda self, handle: False)
        with pytest.raises(
            PoseGenError, match=r"\.engine: tensorrt 10\.3 failed \(a batch of 4 could not"
        ):
            backend.run(feeds(slice(0, 9)))
    assert backend._idle == []
    assert not busy(device)
    np.testing.assert_array_equal(backend.run(feeds(slice(0, 9)))["image"], expected(slice(0, 9)))


def test_no_rows_give_no_images(open_engine: Open) -> None:
    assert open_engine().run(feeds(slice(0, 0)))["image"].shape == (0, SIZE, SIZE, 3)


@pytest.mark.parametrize("content", ["", '{"model": "x'])
def test_an_engine_that_does_not_load(tiny_bundle: Path, tmp_path: Path, content: str) -> None:
    bundle, device = Bundle.load(tiny_bundle), FakeDevice()
    file = save_engine(bundle, "generator", tmp_path, (1, 4, 4))
    file.path.write_text(content)
    graph = bundle.precision("fp32").graphs["generator"]
    with pytest.raises(PoseGenError, match=r"generator\.engine: tensorrt 10\.3 cannot load the"):
        TensorrtBackend(file, FakeTensorRT(device), device, graph)  # type: ignore[arg-type]


def test_a_library_that_cannot_start(tiny_bundle: Path, tmp_path: Path) -> None:
    """What the bindings raise where the driver is older than TensorRT's CUDA."""
    bundle, device = Bundle.load(tiny_bundle), FakeDevice()
    tensorrt = FakeTensorRT(device)
    tensorrt.module.Runtime = _gives_nothing
    graph = bundle.precision("fp32").graphs["generator"]
    file = save_engine(bundle, "generator", tmp_path, (1, 4, 4))
    with pytest.raises(PoseGenError, match=r"tensorrt 10\.3: cannot start here .*NVIDIA driver"):
        TensorrtBackend(file, tensorrt, device, graph)  # type: ignore[arg-type]


def _gives_nothing(logger: Any) -> Any:
    raise TypeError("pybind11::init(): factory function returned nullptr")


def test_only_a_version_compatible_engine_may_bring_code(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle, device = Bundle.load(tiny_bundle), FakeDevice()
    graph = bundle.precision("fp32").graphs["generator"]
    file = save_engine(bundle, "generator", tmp_path, (1, 4, 4), version_compatible=True)
    backend = TensorrtBackend(file, FakeTensorRT(device), device, graph)  # type: ignore[arg-type]
    np.testing.assert_array_equal(backend.run(feeds(slice(0, 2)))["image"], expected(slice(0, 2)))
    identity = msgspec.structs.replace(file.sidecar.identity, version_compatible=False)
    plain = EngineFile(file.path, msgspec.structs.replace(file.sidecar, identity=identity))
    with pytest.raises(PoseGenError, match="cannot load the engine"):
        TensorrtBackend(plain, FakeTensorRT(device), device, graph)  # type: ignore[arg-type]


def test_an_engine_of_another_model(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle, device = Bundle.load(tiny_bundle), FakeDevice()
    file = save_engine(bundle, "conditions", tmp_path, (1, 4, 4))
    graph = bundle.precision("fp32").graphs["generator"]
    with pytest.raises(PoseGenError, match=r"has no tensor mask of uint8.* another model"):
        TensorrtBackend(file, FakeTensorRT(device), device, graph)  # type: ignore[arg-type]
