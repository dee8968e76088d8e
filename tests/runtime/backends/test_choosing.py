"""What `auto` chooses on which machine, and that a named backend is that one or an error."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.backends import choosing
from posegen_runtime.backends.choosing import Choice, choose
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.engines.gpu import Gpu
from tiny_bundle import write_tiny_bundle

AUTO, CPU, CUDA, TENSORRT, OPENVINO, NULL = BackendName


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set what the machine seems to have."""

    def have(gpu: bool = False, installed: tuple[BackendName, ...] = (CPU,)) -> None:
        def check(name: BackendName, text: str) -> str:
            if name not in installed:
                raise PoseGenError(f"{text} is not installed")
            return text

        found = Gpu("Fake GPU", (8, 7)) if gpu else None
        monkeypatch.setattr(choosing, "find_gpu", lambda: found)
        monkeypatch.setattr(choosing, "_tensorrt", lambda: check(TENSORRT, "tensorrt 10.3"))
        what = "onnxruntime 1.20 with CUDA"
        monkeypatch.setattr(choosing, "_cuda", lambda _: check(CUDA, what))
        on_cpu = [name for name in installed if not name.on_gpu]
        monkeypatch.setattr(choosing, "installed_on_cpu", lambda: on_cpu)

    return have


@pytest.mark.parametrize(
    ("gpu", "installed", "chosen", "why"),
    [
        (False, (CPU, TENSORRT, OPENVINO), CPU, "no NVIDIA GPU here"),
        (False, (OPENVINO,), OPENVINO, "no NVIDIA GPU here"),
        (True, (TENSORRT, CUDA, CPU), TENSORRT, "an NVIDIA GPU and tensorrt 10.3 are here"),
        (
            True,
            (CUDA, CPU),
            CUDA,
            "an NVIDIA GPU and onnxruntime 1.20 with CUDA are here; tensorrt cannot be had "
            "(tensorrt 10.3 is not installed)",
        ),
        (
            True,
            (CPU,),
            CPU,
            "an NVIDIA GPU is here; tensorrt cannot be had (tensorrt 10.3 is not installed); "
            "cuda cannot be had (onnxruntime 1.20 with CUDA is not installed)",
        ),
    ],
)
def test_auto_goes_by_what_the_machine_has(
    tiny_bundle: Path,
    machine: Callable[..., None],
    gpu: bool,
    installed: tuple[BackendName, ...],
    chosen: BackendName,
    why: str,
) -> None:
    machine(gpu, installed)
    assert choose(AUTO, Bundle.load(tiny_bundle)) == Choice(chosen, "fp32", why)


def test_auto_takes_the_cpu_where_cuda_is_listed_and_does_not_load(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    listed = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: listed)
    monkeypatch.setattr(choosing, "find_gpu", lambda: Gpu("Fake GPU", (8, 7)))
    choice = choose(AUTO, Bundle.load(tiny_bundle))
    assert choice.backend is CPU
    assert "cuda cannot be had (" in choice.why


@pytest.mark.parametrize("name", [CPU, CUDA, TENSORRT, OPENVINO])
def test_a_named_backend_is_taken_as_named(
    tiny_bundle: Path, machine: Callable[..., None], name: BackendName
) -> None:
    machine(True, (CPU,))
    assert choose(name, Bundle.load(tiny_bundle)) == Choice(name, "fp32", "asked for")


@pytest.fixture
def two_precisions(tmp_path: Path) -> Bundle:
    """A bundle that holds fp32 and, from the same graphs, int8 and fp16."""
    root = write_tiny_bundle(tmp_path / "bundle")
    manifest = json.loads((root / "bundle.json").read_text())
    (fp32,) = manifest["precisions"]
    manifest["precisions"] += [{**fp32, "precision": name} for name in ("fp16", "int8")]
    (root / "bundle.json").write_text(json.dumps(manifest))
    return Bundle.load(root)


@pytest.mark.parametrize(
    ("seconds", "backend", "precision"),
    [
        ({(CPU, "fp32"): 20, (CPU, "int8"): 10}, CPU, "int8"),
        ({(CPU, "fp32"): 20, (CPU, "int8"): 30}, CPU, "fp32"),
        ({(CPU, "fp32"): 20, (CPU, "int8"): 19.5}, CPU, "fp32"),  # not worth other pixels
        (
            {
                (CPU, "fp32"): 20,
                (CPU, "int8"): 30,
                (OPENVINO, "fp32"): 25,
                (OPENVINO, "int8"): 9,
            },
            OPENVINO,
            "int8",
        ),
        (
            {
                (CPU, "fp32"): 20,
                (CPU, "int8"): 30,
                (OPENVINO, "fp32"): 18,
                (OPENVINO, "int8"): 17.5,
            },
            OPENVINO,
            "fp32",
        ),
        (
            {
                (CPU, "fp32"): 20,
                (CPU, "int8"): 30,
                (OPENVINO, "fp32"): 19.5,
                (OPENVINO, "int8"): 30,
            },
            CPU,
            "fp32",
        ),
    ],
)
def test_a_precision_is_chosen_only_where_it_measured_faster(
    two_precisions: Bundle,
    machine: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[tuple[BackendName, str], float],
    backend: BackendName,
    precision: str,
) -> None:
    machine(installed=tuple(name for name in (CPU, OPENVINO) if (name, "fp32") in seconds))
    asked: list[Any] = []

    def measured(candidates: list[Any], bundle: Bundle) -> dict[Any, float]:
        asked.extend(candidates)
        return {candidate: seconds[candidate] / 1000 for candidate in candidates}

    monkeypatch.setattr(choosing, "time_backends", measured)
    choice = choose(AUTO, two_precisions, "auto")
    assert (choice.backend, choice.precision) == (backend, precision)
    assert set(asked) == set(seconds)  # so never fp16 on a CPU
    assert "measured here, an image: " in choice.why
    assert f"cpu fp32 {seconds[CPU, 'fp32']:.1f} ms" in choice.why


def test_a_precision_that_the_gpu_does_not_take_is_left_out(
    two_precisions: Bundle, machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(gpu=True, installed=(TENSORRT,))
    refused = {"int8"}

    def opened(name: BackendName, bundle: Bundle, precision: str, *_: Any, **__: Any) -> None:
        if precision in refused:
            raise PoseGenError(f"{precision}: tensorrt 10.3 does not take this graph")

    monkeypatch.setattr(choosing, "open_backend", opened)
    monkeypatch.setattr(choosing, "time_backends", lambda able, _: dict.fromkeys(able, 0.001))
    choice = choose(AUTO, two_precisions, "auto")
    assert (choice.backend, choice.precision) == (TENSORRT, "fp32")
    assert choice.why.endswith("int8 cannot be had (int8: tensorrt 10.3 does not take this graph)")
    refused |= {"fp32", "fp16"}
    with pytest.raises(PoseGenError, match="fp32: tensorrt"):
        choose(AUTO, two_precisions, "auto")


def test_precision_auto_really_measures(two_precisions: Bundle) -> None:
    choice = choose(CPU, two_precisions, "auto")
    assert choice.backend is CPU
    assert choice.why.count(" ms") == 2


def test_precision_auto_where_there_is_no_choice(tiny_bundle: Path) -> None:
    choice = choose(CPU, Bundle.load(tiny_bundle), "auto")
    assert choice.precision == "fp32"
    assert choice.why == "asked for; the bundle holds no other precision for it"


def test_a_run_says_and_records_what_was_chosen(
    tiny_bundle: Path, masks: Path, tmp_path: Path, machine: Callable[..., None], capfd: Any
) -> None:
    machine()
    arguments = ["--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle]
    assert run_app(app, [str(argument) for argument in arguments]) == 0
    assert "backend cpu, precision fp32: no NVIDIA GPU here" in capfd.readouterr().err
    options = json.loads((tmp_path / "out/run.json").read_text())["options"]
    assert options["backend"] == "cpu"
    assert options["precision"] == "fp32"
    assert options["backend_why"] == "no NVIDIA GPU here"


@pytest.mark.parametrize(
    ("backend", "package", "message"),
    [
        ("cpu", "onnxruntime", r"posegen\[cpu\]"),
        ("cuda", "onnxruntime", r"posegen\[gpu\]"),
        ("openvino", "openvino", r"posegen\[openvino\]"),
    ],
)
def test_a_named_backend_that_cannot_be_had_is_an_error(
    tiny_bundle: Path,
    uninstall: Callable[[str], None],
    backend: str,
    package: str,
    message: str,
) -> None:
    uninstall(package)
    with pytest.raises(PoseGenError, match=message):
        PoseGenerator.load(tiny_bundle, backend=backend)


def test_nothing_installed_names_the_extras(
    tiny_bundle: Path,
    uninstall: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choosing, "find_gpu", lambda: None)
    monkeypatch.setattr(choosing, "installed_on_cpu", list)
    uninstall("onnxruntime")
    with pytest.raises(PoseGenError, match=r"posegen\[cpu\].*posegen\[gpu\]"):
        PoseGenerator.load(tiny_bundle)


def test_a_run_on_a_backend_that_is_not_there_leaves_nothing(
    tiny_bundle: Path, masks: Path, tmp_path: Path, capfd: Any
) -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has an NVIDIA GPU")
    arguments = ["--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle]
    arguments += ["--backend", "tensorrt"]
    assert run_app(app, [str(argument) for argument in arguments]) == 2
    error = capfd.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["raise OSError('libgomp.so.1: no such file')", ""])
def test_a_broken_onnx_runtime_is_told_from_none(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder alone is what uninstalling one of two builds leaves."""
    from posegen_runtime.backends import onnx

    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime/__init__.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    del sys.modules["onnxruntime"]
    with pytest.raises(PoseGenError, match=r"libgomp|in part.*--doctor"):
        onnx.engine()
