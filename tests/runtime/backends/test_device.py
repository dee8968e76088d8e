"""The adapters: what they call is there, contexts are given back, and what is missing is said."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from posegen_runtime.backends.device import open_device
from posegen_runtime.engines.gpu import find_gpu
from posegen_runtime.errors import PoseGenError


def test_names_that_the_cuda_core_adapter_uses() -> None:
    core = pytest.importorskip("cuda.core")
    driver = pytest.importorskip("cuda.bindings.driver")
    graph = pytest.importorskip("cuda.core.graph")
    for owner, names in (
        (core.Device, "set_current name allocate default_stream create_stream"),
        (core.Stream, "handle record wait sync create_graph_builder"),
        (core.Event, "sync"),
        (core.Buffer, "handle size"),
        (core.LegacyPinnedMemoryResource, "allocate"),
        (graph.GraphBuilder, "begin_building end_building complete"),
        (graph.Graph, "launch"),
        (driver, "cuMemcpyAsync"),
        (driver.CUresult, "CUDA_SUCCESS"),
    ):
        for name in names.split():
            assert hasattr(owner, name), f"{owner}.{name}"
    assert core.StreamOptions(nonblocking=True).nonblocking


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        ("cuda-core", r"cuda-core .*(can use no NVIDIA GPU here|is not installed)"),
        ("pycuda", r"pycuda .*(can use no NVIDIA GPU here|is not installed)"),
        ("opencl", "POSEGEN_CUDA=opencl: must be one of cuda-core, pycuda"),
    ],
)
def test_no_device_is_one_line(adapter: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_gpu() is not None:
        pytest.skip("this machine has an NVIDIA GPU")
    monkeypatch.setenv("POSEGEN_CUDA", adapter)
    with pytest.raises(PoseGenError, match=message) as caught:
        open_device()
    assert "\n" not in str(caught.value)


class FakeAllocation:
    """Freed by PyCUDA only where its context is current, or by the thread that made the context."""

    def __init__(self, pycuda: "FakePycuda") -> None:
        self._pycuda = pycuda

    def __int__(self) -> int:
        return 4096

    def free(self) -> None:
        self._pycuda.calls.append("free" if self._pycuda.stack else "leak")


class FakePycuda(ModuleType):
    """`pycuda.driver` with one device, whose memory is the host's."""

    def __init__(self) -> None:
        super().__init__("pycuda.driver")
        self.stack: list[str] = []
        self.calls: list[str] = []
        self.event_flags = SimpleNamespace(DISABLE_TIMING=2)
        self.Context = SimpleNamespace(pop=lambda: self.stack.pop())
        context = SimpleNamespace(push=lambda: self.stack.append("primary"))
        self.Device = lambda index: SimpleNamespace(
            name=lambda: f"GPU {index}", retain_primary_context=lambda: context
        )
        self.Stream = lambda flags: SimpleNamespace(
            handle=7,
            synchronize=lambda: self.calls.append("synchronize"),
            wait_for_event=lambda event: self.calls.append("wait"),
        )
        self.Event = lambda flags: SimpleNamespace(
            record=lambda stream: self.calls.append("record"),
            synchronize=lambda: self.calls.append("event"),
        )

    def init(self) -> None:
        self.calls.append("init")

    def mem_alloc(self, nbytes: int) -> FakeAllocation:
        assert self.stack
        return FakeAllocation(self)

    def pagelocked_empty(self, shape: int, dtype: Any) -> np.ndarray:
        assert self.stack
        return np.empty(shape, dtype)

    def memcpy_htod_async(self, target: int, source: np.ndarray, stream: Any) -> None:
        self.calls.append(f"up {target} {source.nbytes}")

    def memcpy_dtoh_async(self, target: np.ndarray, source: int, stream: Any) -> None:
        self.calls.append(f"down {source} {target.nbytes}")

    def memcpy_dtod_async(self, target: int, source: int, nbytes: int, stream: Any) -> None:
        self.calls.append(f"copy {target} {source} {nbytes}")


def test_pycuda_uses_the_primary_context_and_gives_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakePycuda()
    package = ModuleType("pycuda")
    package.driver = fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", fake)
    monkeypatch.delitem(sys.modules, "posegen_runtime.backends.device.pycuda", raising=False)
    device = open_device("pycuda")
    assert device.name == "GPU 0"
    with device.current():
        memory, host, stream = device.allocate(64), device.pin(32), device.stream()
        assert fake.stack == ["primary"]
        assert (memory.address, memory.nbytes, stream.handle) == (4096, 64, 7)
        stream.upload(memory.address, host)
        stream.download(host, memory.address + 32)
        stream.copy(memory.address, memory.address + 8, 8)
        stream.wait(stream.record())
        stream.record().synchronize()
        stream.synchronize()
        assert stream.capture(lambda: None) is None
    assert fake.stack == []
    del memory  # conditions that were evicted, say, in any thread
    assert fake.stack == []
    assert fake.calls == [
        "init",
        "up 4096 32",
        "down 4128 32",
        "copy 4096 4104 8",
        "record",
        "wait",
        "record",
        "event",
        "synchronize",
        "free",
    ]
    assert "pycuda.autoinit" not in sys.modules
    del sys.modules["posegen_runtime.backends.device.pycuda"]  # it holds the fake
