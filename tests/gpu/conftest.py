"""Tests for a machine with an NVIDIA GPU: `pytest -m gpu`. Elsewhere each says what is missing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from posegen_runtime.backends import tensorrt as tensorrt_backend
from posegen_runtime.choices import BackendName
from posegen_runtime.engines.flavors import find_flavor
from posegen_runtime.engines.gpu import find_gpu
from posegen_runtime.errors import PoseGenError
from tiny_bundle import write_tiny_bundle

WAYS = ("cuda", "tensorrt", "rtx")
"""ONNX Runtime's CUDA provider, and both flavours of TensorRT."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(autouse=True)
def _gpu() -> None:
    if find_gpu() is None:
        pytest.skip("no NVIDIA GPU here")


@pytest.fixture(scope="session", autouse=True)
def _engine_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Engines are really built, once a session; those of POSEGEN_CACHE serve where it is set."""
    if "POSEGEN_CACHE" in os.environ:
        yield
        return
    os.environ["POSEGEN_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["POSEGEN_CACHE"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BackendName:
    """Each backend for a GPU that is installed."""
    name: str = request.param
    try:
        if name == "cuda":
            from posegen_runtime.backends.onnx import CUDA, engine

            if CUDA not in engine().get_available_providers():
                pytest.skip("this ONNX Runtime was built without CUDA")
            return BackendName.CUDA
        flavor = find_flavor(name)
    except PoseGenError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(tensorrt_backend, "find_flavor", lambda asked: flavor)
    return BackendName.TENSORRT


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that takes all three inputs; read it, do not change it."""
    return write_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle")
