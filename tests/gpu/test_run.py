"""`posegen-run` on the GPU, from mask files to images and labels."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_runtime.choices import BackendName
from posegen_runtime.cli import app
from posegen_runtime.console import run_app

MASKS = Path(__file__).parents[2] / "examples" / "masks"


def _run(backend: str, out: Path, *extra: str) -> dict[str, np.ndarray]:
    arguments = ["--masks", str(MASKS), "--out", str(out), "--backend", backend, *extra]
    assert run_app(app, arguments) == 0
    return {path.name: cv2.imread(str(path)) for path in sorted((out / "images").iterdir())}


def test_the_same_images_as_on_the_cpu(way: BackendName, tmp_path: Path) -> None:
    on_cpu = _run("cpu", tmp_path / "cpu")
    on_gpu = _run(way.value, tmp_path / "gpu")
    assert on_cpu.keys() == on_gpu.keys()
    for name, image in on_cpu.items():
        assert np.abs(image.astype(int) - on_gpu[name]).max() <= 1
    record = json.loads((tmp_path / "gpu/run.json").read_text())
    assert record["options"]["backend"] == way.value


@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_auto_takes_the_gpu_and_says_why(precision: str, way: BackendName, tmp_path: Path) -> None:
    _run("auto", tmp_path / "out", "--precision", precision)
    options = json.loads((tmp_path / "out/run.json").read_text())["options"]
    assert options["backend"] in ("tensorrt", "cuda")
    assert options["backend_why"].startswith(
        "an NVIDIA GPU and" if precision == "fp32" else ("measured here", "an NVIDIA GPU and")
    )
