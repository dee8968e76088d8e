"""An engine cache of the test's own, and a TensorRT that is said to be another."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from posegen_runtime.engines import ensure, flavors
from posegen_runtime.engines.gpu import Gpu


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "engines"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """(package, source or None) → that package is what ``import`` finds; None is not installed."""
    before = {name: sys.modules.get(name) for name in ("tensorrt", "tensorrt_rtx")}

    def install(package: str, source: str | None) -> None:
        flavors._load.cache_clear()
        if source is None:
            sys.modules[package] = None  # type: ignore[assignment]
            return
        folder = tmp_path / "installed"
        (folder / package).mkdir(parents=True, exist_ok=True)
        (folder / package / "__init__.py").write_text(source)
        sys.modules.pop(package, None)
        monkeypatch.syspath_prepend(folder)

    yield install
    flavors._load.cache_clear()
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


@pytest.fixture
def native(installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """(version, capability) → TensorRT proper of that version, on a GPU of that kind.

    Underneath is TensorRT-RTX, which builds without a GPU. Nothing can load the engine here.
    """

    def pretend(version: str, capability: tuple[int, int] | None) -> None:
        installed("tensorrt", f"from tensorrt_rtx import *\n__version__ = {version!r}\n")
        gpu = Gpu("Pretended", capability) if capability else None
        monkeypatch.setattr(ensure, "find_gpu", lambda: gpu)
        monkeypatch.setattr(ensure, "_inspect", lambda *_: {})

    return pretend
