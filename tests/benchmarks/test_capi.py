"""The C interface is held by time: no slower than the Python API at batch 1."""

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

from posegen_runtime.generator import SHIPPED_BUNDLE

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "capi.py"


@pytest.fixture(scope="module")
def capi() -> ModuleType:
    spec = importlib.util.spec_from_file_location("capi", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ratios_are_against_c(capi: ModuleType) -> None:
    def worker(milliseconds: float) -> object:
        def work() -> None:
            end = time.process_time() + milliseconds / 1e3
            while time.process_time() < end:
                pass

        return capi.python_caller(work)

    callers = {"C": worker(5), "generate": worker(20), "keyed": worker(10)}
    figures = capi.measure(callers, rounds=3, calls=2)
    assert figures["ratio"] == pytest.approx({"generate": 4, "keyed": 2}, rel=0.3)
    assert figures["calls_per_second"]["C"] <= 200


@pytest.mark.slow
def test_c_is_no_slower(capi: ModuleType, tmp_path: Path) -> None:
    figures = capi.compare(SHIPPED_BUNDLE, 31, 5, tmp_path)
    assert figures["ratio"]["generate"] >= 1
