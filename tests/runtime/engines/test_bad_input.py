"""Engines and TensorRTs that will not do, through the commands: one line, no traceback, and never
an engine of something else."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_gpu import FakeDevice
from posegen_export.cli import app as export
from posegen_runtime.backends import tensorrt as backend
from posegen_runtime.cli import app as run
from posegen_runtime.console import run_app
from posegen_runtime.engines.gpu import find_gpu
from tiny_bundle import write_tiny_bundle
from typed_graphs import write_typed_bundle

Command = Callable[..., tuple[int, list[str]]]
Install = Callable[[str, str | None], None]
Pretend = Callable[[str, tuple[int, int]], None]
COMMANDS = ("posegen-export trt", "posegen-run")


@pytest.fixture
def command(
    tmp_path: Path,
    masks: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """(name, bundle, precision) → exit code and lines on standard error, on a machine whose GPU
    other programs can use."""
    monkeypatch.setattr(backend, "open_device", FakeDevice)

    def run_it(name: str, bundle: Path, precision: str = "fp32") -> tuple[int, list[str]]:
        chosen = ["--precision", precision]
        if name == "posegen-run":
            if find_gpu() is not None:
                pytest.skip("a real GPU has nothing at the addresses of a pretended one")
            chosen += ["--masks", str(masks), "--out", str(tmp_path / "out")]
            code = run_app(run, [*chosen, "--bundle", str(bundle), "--backend", "tensorrt"])
            assert not (tmp_path / "out").exists()
        else:
            code = run_app(export, ["trt", str(bundle), *chosen])
        lines = capsys.readouterr().err.splitlines()
        if code:
            assert code == 2
            assert sum(line.startswith("error: ") for line in lines) == 1
        return code, lines

    return run_it


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "bundle", "pose")


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (("10.3.0", (8, 7)), ("10.3.0", (9, 0)), "compute capability 8.7, not 9.0"),
        (("10.3.0", (8, 7)), ("11.4.0", (8, 7)), "version 10.3.0, not 11.4.0"),
    ],
    ids=["gpu", "version"],
)
def test_an_engine_of_another_machine(
    command: Command,
    bundle: Path,
    native: Pretend,
    cache: Path,
    before: tuple[str, tuple[int, int]],
    now: tuple[str, tuple[int, int]],
    reason: str,
) -> None:
    native(*before)
    assert command("posegen-export trt", bundle)[0] == 0
    native(*now)
    code, (told, building) = command("posegen-export trt", bundle)
    assert code == 0
    assert told.endswith(f"is of {reason}; building another")
    assert building.startswith("building generator fp32")
    assert len(list(cache.glob("*.engine"))) == 2
    assert command("posegen-export trt", bundle) == (0, [])


def test_an_engine_of_another_model(command: Command, bundle: Path) -> None:
    assert command("posegen-export trt", bundle)[0] == 0
    shutil.rmtree(bundle)
    write_tiny_bundle(bundle, "pose", viewpoint=True)
    code, (told, building) = command("posegen-export trt", bundle)
    assert code == 0
    assert re.search(r"is of another model \(\w{12}, not \w{12}\); building another$", told)
    assert building.startswith("building generator fp32")


def test_an_engine_of_another_precision(command: Command, tmp_path: Path, cache: Path) -> None:
    """Even one that lies where the right one would."""
    bundle = write_typed_bundle(tmp_path / "bundle", fp16="fp16")
    for precision in ("fp32", "fp16"):
        code, lines = command("posegen-export trt", bundle, precision)
        assert code == 0
        assert lines[-1].startswith(f"building generator {precision}")
    files = {
        json.loads(file.read_text())["identity"]["precision"]: file for file in cache.glob("*.json")
    }
    for suffix in (".json", ".engine"):
        shutil.copy(files["fp32"].with_suffix(suffix), files["fp16"].with_suffix(suffix))
    code, lines = command("posegen-export trt", bundle, "fp16")
    assert code == 0
    assert lines[-1].startswith("building generator fp16")
    assert json.loads(files["fp16"].read_text())["identity"]["precision"] == "fp16"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_truncated_engine(command: Command, bundle: Path, cache: Path, name: str) -> None:
    assert command("posegen-export trt", bundle)[0] == 0
    (engine,) = cache.glob("*.engine")
    whole = engine.read_bytes()
    engine.write_bytes(whole[:-1])
    _, (told, building, *_) = command(name, bundle)  # no GPU loads it, once it is built
    assert (
        told == f"{engine}: has {len(whole) - 1} bytes instead of {len(whole)}; building it again"
    )
    assert building.startswith("building generator fp32")
    assert engine.stat().st_size == json.loads(engine.with_suffix(".json").read_text())["bytes"]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("unknown", "does not take this graph .*at Frobnicate frob"),
        ("mixed", "does not take this graph .*must have same input types.*at Add adds"),
        ("future", "is of opset 99, TensorRT reads 20 and older"),
        ("fp32", "fp16 was asked for, but the graph has 1 layer in float32"),
    ],
)
def test_a_graph_that_the_flavour_does_not_take(
    command: Command, tmp_path: Path, cache: Path, kind: str, reason: str, name: str
) -> None:
    bundle = write_typed_bundle(tmp_path / "bundle", fp16=kind)
    code, lines = command(name, bundle, "fp16")
    assert code == 2
    assert re.search(rf"^error: .*fp16/generator\.onnx: .*{reason}", lines[-1])
    assert {file.suffix for file in cache.iterdir()} <= {".lock"}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_tensorrt(command: Command, bundle: Path, installed: Install, name: str) -> None:
    installed("tensorrt", None)
    installed("tensorrt_rtx", None)
    code, lines = command(name, bundle)
    assert code == 2
    assert re.search(r"^error: TensorRT is not installed: .*'posegen\[tensorrt\]'", lines[-1])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_tensorrt_that_is_too_old(
    command: Command, bundle: Path, installed: Install, name: str
) -> None:
    installed("tensorrt", "__version__ = '8.6.1'\n")
    code, lines = command(name, bundle)
    assert code == 2
    assert re.search(r"^error: tensorrt 8\.6\.1 is too old, 10\.3 or newer", lines[-1])


def test_an_engine_that_does_not_load_here(command: Command, bundle: Path) -> None:
    """A real one, where no driver is."""
    code, lines = command("posegen-run", bundle)
    assert code == 2
    assert re.search(r"^error: .*\.engine: tensorrt_rtx .* cannot load the engine \(", lines[-1])
