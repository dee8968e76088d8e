"""Runs and commands on TensorRT, on a fake GPU: engines proven once, refused when they make other
images, and Ctrl-C."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_gpu import FakeDevice, busy
from fake_tensorrt import (
    FakeEngine,
    FakeRuntime,
    FakeTensorRT,
    fake_ensure,
)
from posegen_export.cli import app as export
from posegen_runtime import PoseGenerator, PoseGenError, engines
from posegen_runtime.backends import tensorrt as backend_module
from posegen_runtime.bundle import Bundle
from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.engines import build
from posegen_runtime.engines.cache import EngineFile
from posegen_runtime.engines.gpu import Gpu
from posegen_runtime.engines.sidecar import read_sidecar
from tiny_bundle import SIZE, example_mask, example_photo, expected_image, write_tiny_bundle

MASKS = np.stack([example_mask(index) for index in range(23)])
PHOTOS = np.stack([example_photo(index, SIZE) for index in range(23)])
SCENES = np.stack([example_photo(40 + index, SIZE) for index in range(23)])


def expected(rows: slice) -> np.ndarray:
    return np.stack(
        [
            expected_image(*each)
            for each in zip(MASKS[rows], PHOTOS[rows], SCENES[rows], strict=True)
        ]
    )


@pytest.fixture
def fake_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    """A machine with a GPU and TensorRT, whose engines take up to 3 images."""
    device = FakeDevice()
    tensorrt = FakeTensorRT(device)
    (tmp_path / "engines").mkdir()
    ensure = fake_ensure(tmp_path / "engines", (1, 3, 3))
    monkeypatch.setattr(backend_module, "open_device", lambda: device)
    monkeypatch.setattr(backend_module, "find_flavor", lambda asked: tensorrt)
    monkeypatch.setattr(backend_module, "ensure_engine", ensure)
    return device


def test_conditions_stay_on_the_device(tiny_bundle: Path, fake_gpu: FakeDevice) -> None:
    generator = PoseGenerator.load(tiny_bundle, backend="tensorrt")
    for _ in range(2):  # the same photo and scene for all, then one each
        images = generator.generate(MASKS[:9], PHOTOS[0], SCENES[0])
        for image, mask in zip(images, MASKS, strict=False):
            np.testing.assert_array_equal(image, expected_image(mask, PHOTOS[0], SCENES[0]))
        copies = fake_gpu.copies
        generator.generate(MASKS[9:18], PHOTOS[0], SCENES[0])
        assert fake_gpu.copies == copies
        images = generator.generate(MASKS[:9], PHOTOS[:9], SCENES[:9])
        np.testing.assert_array_equal(images, expected(slice(0, 9)))


def test_a_whole_run(
    tiny_bundle: Path, masks: Path, tmp_path: Path, fake_gpu: FakeDevice, capfd: Any
) -> None:
    arguments = ["--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle]
    arguments += ["--backend", "tensorrt", "--selftest"]
    assert run_app(app, [str(argument) for argument in arguments]) == 0
    printed = capfd.readouterr()
    assert "generator_cached (tensorrt 10.3 on Fake GPU): 4 images" in printed.out
    assert "backend tensorrt, precision fp32: asked for" in printed.err
    record = json.loads((tmp_path / "out/run.json").read_text())
    assert record["options"]["backend"] == "tensorrt"
    assert record["versions"]["engine"] == "tensorrt 10.3 on Fake GPU"
    assert not busy(fake_gpu)


@pytest.mark.parametrize("moment", ["deserialize_cuda_engine", "create_execution_context"])
def test_ctrl_c_while_an_engine_is_loaded(
    tiny_bundle: Path,
    masks: Path,
    tmp_path: Path,
    fake_gpu: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Any,
    moment: str,
) -> None:
    owner = {"deserialize_cuda_engine": FakeRuntime}.get(moment, FakeEngine)
    real = getattr(owner, moment)

    def interrupted(self: Any, *arguments: Any) -> Any:
        try:  # in TensorRT's call of our logger; the bindings forget what is raised there
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.001)
        except KeyboardInterrupt:
            pass
        return real(self, *arguments)

    monkeypatch.setattr(owner, moment, interrupted)
    arguments = ["--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle]
    arguments += ["--backend", "tensorrt"]
    assert run_app(app, [str(argument) for argument in arguments]) == 130
    assert capfd.readouterr().err.splitlines()[-1] == "interrupted"
    assert not (tmp_path / "out").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not busy(fake_gpu)


def test_ctrl_c_while_a_run_builds_its_engine(
    tiny_bundle: Path,
    masks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Any,
) -> None:
    """A real build, by TensorRT-RTX."""

    def interrupting(*arguments: Any, real: Any = build.progress_monitor) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*arguments)

    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(backend_module, "open_device", FakeDevice)
    monkeypatch.setattr(build, "progress_monitor", interrupting)
    arguments = ["--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle]
    arguments += ["--backend", "tensorrt"]
    assert run_app(app, [str(argument) for argument in arguments]) == 130
    begun, *_, last = capfd.readouterr().err.splitlines()
    assert begun.startswith("building ")
    assert last == "interrupted"
    assert not (tmp_path / "out").exists()
    assert {file.suffix for file in (tmp_path / "cache/engines").iterdir()} <= {".lock"}


def test_the_golden_set_runs_once_through_a_new_engine(
    tiny_bundle: Path, tmp_path: Path, fake_gpu: FakeDevice, capfd: Any
) -> None:
    PoseGenerator.load(tiny_bundle, backend="tensorrt")
    assert "golden set through the new engine: generator_cached" in capfd.readouterr().err
    for graph in ("conditions", "generator_cached"):
        sidecar = read_sidecar(tmp_path / f"engines/{graph}.json")
        assert sidecar is not None
        assert sidecar.parity["fp32"]["missed"] == []
        assert sidecar.parity["fp32"]["figures"]["images"] == 4


@pytest.fixture
def built_here(fake_gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """`posegen-export trt` finds the fake GPU too."""
    gpu = Gpu("Fake GPU", (8, 7))
    monkeypatch.setattr("posegen_runtime.engines.gpu.find_gpu", lambda: gpu)
    monkeypatch.setattr(engines, "find_flavor", lambda asked: FakeTensorRT(fake_gpu))
    monkeypatch.setattr(engines, "ensure_engine", backend_module.ensure_engine)


def test_posegen_export_trt_proves_what_it_built(
    tiny_bundle: Path, tmp_path: Path, built_here: None, capfd: Any
) -> None:
    assert run_app(export, ["trt", str(tiny_bundle)]) == 0
    printed = capfd.readouterr()
    assert printed.out.count("batches 1..3..3") == 3
    assert "golden set through the new engine: generator_cached" in printed.err
    assert printed.out.count("4 images, max difference") == 2
    for graph in ("generator", "conditions", "generator_cached"):
        sidecar = read_sidecar(tmp_path / f"engines/{graph}.json")
        assert sidecar is not None
        assert sidecar.parity["fp32"]["graph"] == graph.replace("conditions", "generator_cached")


def test_posegen_export_trt_fails_with_an_engine_that_makes_other_images(
    tiny_bundle: Path, built_here: None, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    golden = np.zeros((4, SIZE, SIZE, 3), np.uint8)
    monkeypatch.setattr("posegen_runtime.selftest._direct", lambda *_: golden)
    assert run_app(export, ["trt", str(tiny_bundle)]) == 1
    assert "MISSED" in capfd.readouterr().out


def test_figures_of_one_precision_say_nothing_of_another(
    tmp_path: Path, fake_gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INT8 shares the engine of the conditions with FP32."""
    root = write_tiny_bundle(tmp_path / "bundle")
    manifest = json.loads((root / "bundle.json").read_text())
    (fp32,) = manifest["precisions"]
    manifest["precisions"].append({**fp32, "precision": "int8"})
    (root / "bundle.json").write_text(json.dumps(manifest))
    PoseGenerator.load(root, backend="tensorrt")
    golden = np.zeros((4, SIZE, SIZE, 3), np.uint8)
    shared = tmp_path / "engines/conditions.json"
    with monkeypatch.context() as patch:
        patch.setattr("posegen_runtime.selftest._generated", lambda *_: golden)
        with pytest.raises(PoseGenError, match="makes other images"):
            PoseGenerator.load(root, "int8", backend="tensorrt")
    sidecar = read_sidecar(shared)
    assert sidecar is not None
    assert sidecar.parity["int8"]["missed"]
    monkeypatch.setattr(backend_module, "ensure_engine", _from_disk(tmp_path / "engines"))
    PoseGenerator.load(root, backend="tensorrt")


def test_an_engine_that_makes_other_images_is_refused_now_and_later(
    tmp_path: Path, fake_gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle")
    golden = np.zeros((4, SIZE, SIZE, 3), np.uint8)
    with monkeypatch.context() as patch:
        patch.setattr("posegen_runtime.selftest._generated", lambda *_: golden)
        with pytest.raises(PoseGenError, match=r"\.engine: makes other images"):
            PoseGenerator.load(bundle, backend="tensorrt")
    monkeypatch.setattr(backend_module, "ensure_engine", _from_disk(tmp_path / "engines"))
    with pytest.raises(PoseGenError, match=r"makes other images.*max_difference"):
        PoseGenerator.load(bundle, backend="tensorrt")


def test_figures_of_another_gpu_do_not_count(
    tiny_bundle: Path,
    tmp_path: Path,
    fake_gpu: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Any,
) -> None:
    """An engine for several GPUs, copied with its sidecar to a machine with another one."""
    PoseGenerator.load(tiny_bundle, backend="tensorrt")
    capfd.readouterr()
    monkeypatch.setattr(backend_module, "ensure_engine", _from_disk(tmp_path / "engines"))
    PoseGenerator.load(tiny_bundle, backend="tensorrt")
    assert "golden set" not in capfd.readouterr().err
    monkeypatch.setattr(fake_gpu, "name", "Other GPU")
    PoseGenerator.load(tiny_bundle, backend="tensorrt")
    said = capfd.readouterr().err
    assert "golden set through the new engine: generator_cached (tensorrt 10.3 on Other GPU" in said
    for graph in ("conditions", "generator_cached"):
        sidecar = read_sidecar(tmp_path / f"engines/{graph}.json")
        assert sidecar is not None
        assert sidecar.parity["fp32"]["engine"] == "tensorrt 10.3 on Other GPU"


def _from_disk(folder: Path) -> Callable[..., EngineFile]:
    """`ensure_engine` of the next process, which finds what this one left."""

    def ensure(
        bundle: Bundle, precision: str, graph: str, options: Any, *, tell: Any
    ) -> EngineFile:
        sidecar = read_sidecar(folder / f"{graph}.json")
        assert sidecar is not None
        return EngineFile(folder / f"{graph}.engine", sidecar)

    return ensure
