"""`edge` is held by time: the documented bounds, measured as the benchmark measures them."""

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "edge_time.py"


@pytest.fixture(scope="module")
def edge_time() -> ModuleType:
    spec = importlib.util.spec_from_file_location("edge_time", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Sleeper:
    """A session that takes as long as it is told."""

    def __init__(self, milliseconds: float) -> None:
        self.seconds = milliseconds / 1e3

    def run(self, outputs: None, feeds: dict[str, object]) -> None:
        time.sleep(self.seconds)


def test_ratios_are_against_the_paper(edge_time: ModuleType) -> None:
    sessions = {"paper": Sleeper(20), "cached": Sleeper(5), "full": Sleeper(10)}
    figures = edge_time.measure({n: (s, {}) for n, s in sessions.items()}, rounds=2, turns=3)
    assert figures["ratio"] == pytest.approx({"cached": 0.25, "full": 0.5}, abs=0.1)
    assert figures["milliseconds"]["paper"] >= 20


@pytest.mark.slow
def test_edge_stays_within_its_bounds(edge_time: ModuleType) -> None:
    figures = edge_time.measure(edge_time.build_runners(threads=1), rounds=5, turns=6)
    for name, bound in edge_time.BOUNDS.items():
        assert figures["ratio"][name] <= bound
    assert edge_time.BOUNDS == {"cached": 0.4, "full": 0.65}
