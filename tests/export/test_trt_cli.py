"""`posegen-export trt` through the real command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from posegen_export.cli import app
from posegen_runtime.console import run_app
from tiny_bundle import write_tiny_bundle
from typed_graphs import write_typed_bundle

COMMAND = "import sys; from posegen_export.cli import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "engines"


@pytest.fixture
def trt(tmp_path, capsys):
    """Runs the command on a tiny bundle; returns exit code, output and errors."""
    bundle = write_typed_bundle(tmp_path / "bundle", fp16="fp16", int8="fp32")

    def run(*arguments):
        code = run_app(app, ["trt", str(bundle), *arguments])
        return code, *capsys.readouterr()

    return run


def test_every_engine_of_a_precision_is_built_and_named(tmp_path, cache, capsys):
    bundle = write_tiny_bundle(tmp_path / "bundle")
    assert run_app(app, ["trt", str(bundle), "--max-batch", "3", "--opt-batch", "2"]) == 0
    printed, said = capsys.readouterr()
    assert said.count("building ") == 3
    for graph in ("generator", "conditions", "generator_cached"):
        assert f"\n{graph} fp32: batches 1..2..3, " in f"\n{printed}"
    engines = sorted(cache.glob("*.engine"))
    assert len(engines) == 3
    assert all(str(file) in printed for file in engines)
    assert run_app(app, ["trt", str(bundle)]) == 0
    again, said = capsys.readouterr()
    assert (again, said) == (printed, "")


def test_the_precision_is_that_of_the_graph(trt):
    code, printed, _ = trt("--precision", "fp16")
    assert code == 0
    assert "graph has 1 layer in float16" in printed
    code, _, errors = trt("--precision", "int8")
    assert code == 2
    assert "int8 was asked for, but the graph has 1 layer in float32" in errors
    code, _, errors = trt("--precision", "fp8")
    assert code == 2
    assert "holds no fp8 variant, only fp32, fp16, int8" in errors


def test_conditions_of_int8_are_named_after_the_precision_that_they_are_in(tmp_path, capsys):
    bundle = write_tiny_bundle(tmp_path / "bundle")
    manifest = json.loads((bundle / "bundle.json").read_text())
    (fp32,) = manifest["precisions"]
    manifest["precisions"].append({**fp32, "precision": "int8"})
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    assert run_app(app, ["trt", str(bundle), "--precision", "int8"]) == 0
    printed, said = capsys.readouterr()
    assert "\nconditions fp32 (which int8 takes): batches " in printed
    assert "\nbuilding conditions fp32 (which int8 takes), batches " in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timing-cache", "times"], "--timing-cache: tensorrt_rtx"),
        (["--version-compatible"], "--version-compatible: tensorrt_rtx"),
        (["--hardware-compatible"], "--hardware-compatible: tensorrt_rtx"),
        (["--compute-capability", "ada"], "--compute-capability ada: write it like 8.6"),
        (["--compute-capability", "3.5"], "--compute-capability 3.5: tensorrt_rtx"),
        (["--flavor", "cuda"], "must be auto, tensorrt or rtx"),
        (["--max-batch", "99"], "--max-batch 99: the bundle was proven up to 4 images"),
        (["--min-batch", "3", "--opt-batch", "2"], "--min-batch <= --opt-batch"),
    ],
)
def test_what_cannot_be_is_one_line(trt, cache, arguments, message):
    code, _, errors = trt("--flavor", "rtx", *arguments)
    assert code == 2
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert message in line
    assert "Traceback" not in errors
    assert not list(cache.glob("*.*n*"))


def test_it_needs_neither_torch_nor_onnx(tmp_path):
    """As on a device: TensorRT, the package, and nothing to train or export with."""
    bundle = write_tiny_bundle(tmp_path / "bundle")
    absent = ("torch", "torchvision", "onnx", "onnxscript", "onnxruntime", "safetensors")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); {COMMAND[11:]}"
    done = subprocess.run(
        [sys.executable, "-c", code, "trt", str(bundle)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("MB, built in") == 3


INTERRUPT = "import os, signal\ndef interrupt(): os.kill(os.getpid(), signal.SIGINT)\n"
WHILE_TENSORRT_TALKS_TO_OUR_LOGGER = """
from posegen_runtime.engines import log

class Heard(log.Heard):
    def __setattr__(self, name, value):
        if name == "opset" and value is not None:
            interrupt()
        super().__setattr__(name, value)

log.Heard = Heard
"""
WHILE_THE_BUILD_BEGINS = """
import threading

def start(thread, real=threading.Thread.start):
    real(thread)
    if thread.name == "engine build":
        interrupt()

threading.Thread.start = start
"""
WHILE_IT_BUILDS = """
from posegen_runtime.engines import build

def progress_monitor(*arguments, real=build.progress_monitor):
    interrupt()
    return real(*arguments)

build.progress_monitor = progress_monitor
"""


@pytest.mark.parametrize(
    "moment", [WHILE_TENSORRT_TALKS_TO_OUR_LOGGER, WHILE_THE_BUILD_BEGINS, WHILE_IT_BUILDS]
)
def test_ctrl_c_stops_a_build_and_leaves_no_engine(cache, moment):
    """On the shipped model: what does not stop goes on to the next graph and ends well."""
    shipped = Path(__file__).parents[2] / "runtime/posegen_runtime/models/edge-cars"
    code = INTERRUPT + moment + COMMAND
    done = subprocess.run(
        [sys.executable, "-c", code, "trt", str(shipped)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    begun, *stopping, last = done.stderr.splitlines()
    assert begun.startswith("building generator")
    assert last == "interrupted"
    assert all(line.startswith("stopping the build") for line in stopping)
    assert not list(cache.glob("*.*n*"))
