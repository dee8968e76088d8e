"""The benchmark of backends measures what is installed, and ONNX Runtime beside itself as 1."""

import importlib.util
from pathlib import Path

from posegen_runtime.bundle import Bundle
from tiny_bundle import write_tiny_bundle

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "backends.py"


def test_every_installed_backend_is_measured_beside_onnx_runtime(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("benchmark_of_backends", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.measure(Bundle.load(write_tiny_bundle(tmp_path)), rounds=3)
    assert result["backends"]["cpu fp32"]["ratio"] == 1.0
    for row in result["backends"].values():
        assert 0 < row["fastest"] <= row["milliseconds"]
