"""The benchmark for GPUs, as far as it runs without one: its parts on the CPU."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.console import run_app
from posegen_runtime.engines.gpu import find_gpu
from tiny_bundle import write_tiny_bundle

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_gpu", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_gpu_it_says_so(gpu: ModuleType, tmp_path: Path, capsys: Any) -> None:
    if find_gpu() is not None:
        pytest.skip("this machine has an NVIDIA GPU")
    assert run_app(gpu.app, ["--out", str(tmp_path / "gpu.json")]) == 2
    assert "no NVIDIA GPU here; run it where" in capsys.readouterr().err


def test_rows_and_table(gpu: ModuleType, tmp_path: Path) -> None:
    bundle = Bundle.load(write_tiny_bundle(tmp_path))
    rows = gpu.engine_rows(bundle, BackendName.CPU, "fp32", gpu.batch_sizes(4), calls=3)
    assert [row["batch"] for row in rows] == [1, 4]
    assert all(row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] for row in rows)
    rows.append(gpu.run_row(bundle, BackendName.CPU, "fp32", masks=6))
    assert rows[-1]["images"] == 6
    result = {"gpu": "none", "bundle": "tiny", "rows": rows, "not_measured": ["cuda fp32: no"]}
    text = gpu.table(result)
    assert text.count("cpu fp32") == 3
    assert text.endswith("not measured: cuda fp32: no")


def test_what_fails_is_listed_and_the_rest_measured(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(checkpoint: Path, device: str, size: int, half: bool, compiled: bool) -> Any:
        if compiled:
            raise RuntimeError("no compiler\non this machine")
        return lambda: None

    monkeypatch.setattr(gpu, "torch_call", call)
    missing: list[str] = []
    rows = gpu.torch_rows(tmp_path, "cpu", [1, 4], 3, missing)
    assert [row["what"] for row in rows] == ["torch eager fp32"] * 2 + ["torch eager fp16"] * 2
    assert missing == [f"torch compile fp{n}: no compiler on this machine" for n in (32, 16)]


@pytest.mark.parametrize("variant", ["pose", "pose-appearance-background+viewpoint"])
def test_pytorch_makes_uint8_images(
    gpu: ModuleType, moving_checkpoint: Callable[[str, str], Path], variant: str
) -> None:
    checkpoint = moving_checkpoint("spatial", variant)
    images = gpu.torch_call(checkpoint, "cpu", 2, half=False, compiled=False)()
    assert images.shape == (2, 64, 64, 3)
    assert images.numpy().dtype == np.uint8
