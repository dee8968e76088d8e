"""What each finding means: its words, its state and the command that mends it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.reference
import pytest

from posegen_runtime.doctor import gpu, libraries, machine, onnxruntime, opencv, tensorrt
from posegen_runtime.doctor.ask import Answer, ask
from posegen_runtime.doctor.commands import apt_install, extra, pip_install, pip_uninstall, tilde
from posegen_runtime.doctor.driver import ask_driver
from posegen_runtime.doctor.files import look_at_cache, look_at_extras
from posegen_runtime.doctor.findings import State
from posegen_runtime.doctor.packages import Extras, read_extras
from posegen_runtime.doctor.probes import IDENTITY

GPU = {"name": "Pretended", "capability": [8, 7], "bytes": 8 << 30}
CUDA_FAILS = Answer(
    {
        "version": "1.31.1",
        "cuda": "13.0",
        "providers": {
            "CUDAExecutionProvider": "libcublasLt.so.13: cannot open shared object file: no",
            "CPUExecutionProvider": "",
        },
    }
)


def test_the_model_that_providers_are_tried_with_is_whole() -> None:
    model = onnx.load_from_string(IDENTITY)
    onnx.checker.check_model(model)
    value = np.ones(1, np.float32)
    (result,) = onnx.reference.ReferenceEvaluator(model).run(None, {"x": value})
    np.testing.assert_array_equal(result, value)


def test_cuda_that_does_not_load_names_the_library_and_what_brings_it() -> None:
    part = onnxruntime.look(CUDA_FAILS, gpu=True, driver=13)
    assert "CUDA does not load, CPU loads" in part.facts[0].text
    assert part.advice[0].repair
    assert "libcublasLt.so.13" in part.advice[0].why
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'" in part.advice[0].commands[0]


def test_a_driver_too_old_for_the_cuda_of_the_wheel_is_what_is_blamed() -> None:
    part = onnxruntime.look(CUDA_FAILS, gpu=True, driver=12)
    assert "built for CUDA 13.0, and this driver takes CUDA 12" in part.advice[0].why
    assert "'onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27'" in part.advice[0].commands[0]


def test_without_a_gpu_nothing_is_said_of_cuda() -> None:
    assert not onnxruntime.look(CUDA_FAILS, gpu=False, driver=0).advice


def test_a_gpu_with_the_cpu_build_is_told_of_the_other() -> None:
    answer = Answer({"version": "1.31.1", "providers": {"CPUExecutionProvider": ""}})
    (advice,) = onnxruntime.look(answer, gpu=True, driver=13).advice
    assert not advice.repair
    assert "uninstall" in advice.commands[0]
    assert "onnxruntime-gpu[cuda,cudnn]" in advice.commands[1]


def answers(**given: Answer) -> dict[str, Answer]:
    names = ("tensorrt", "tensorrt_rtx", "cuda_core", "pycuda")
    return {name: given.get(name, Answer(missing=True)) for name in names}


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt, "installed", lambda names: {})


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("driver", "command"), [(13, "posegen[tensorrt]"), (12, "tensorrt-cu12>=10.3"), (0, "posegen[")]
)
def test_tensorrt_is_advised_for_the_drivers_cuda(driver: int, command: str) -> None:
    (advice,) = tensorrt.look(answers(), gpu=True, driver=driver).advice
    assert command in advice.commands[0]
    assert not tensorrt.look(answers(), gpu=False, driver=0).advice


@pytest.mark.usefixtures("nothing_installed")
def test_a_jetson_is_told_of_jetpack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt, "jetson", lambda: "L4T 36.4.3")
    (advice,) = tensorrt.look(answers(), gpu=True, driver=12).advice
    assert "JetPack" in advice.why
    assert any("--system-site-packages" in command for command in advice.commands)
    assert any("posegen[jetson]" in command for command in advice.commands)


@pytest.mark.usefixtures("nothing_installed")
def test_tensorrt_that_cannot_start_blames_the_driver() -> None:
    found = answers(
        tensorrt=Answer({"version": "11.0.0", "runtime": "CUDA initialization failure"}),
        cuda_core=Answer({"imports": True, "gpu": "Pretended"}),
    )
    part = tensorrt.look(found, gpu=True, driver=12)
    assert part.facts[0].state is State.BROKEN
    assert "CUDA initialization failure" in part.facts[0].text
    assert "tensorrt-cu12>=10.3" in part.advice[0].commands[0]


@pytest.mark.usefixtures("nothing_installed")
def test_tensorrt_without_cuda_core_names_it() -> None:
    found = answers(tensorrt=Answer({"version": "10.3.0", "runtime": ""}))
    part = tensorrt.look(found, gpu=True, driver=12)
    assert part.facts[0].state is State.OK
    assert "cuda-core 'cuda-bindings>=12,<13'" in part.advice[0].commands[0]


def test_opencv_that_lacks_a_library_of_the_system() -> None:
    error = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
    part = opencv.look(Answer(error=error))
    assert part.facts[0].state is State.BROKEN
    assert part.advice[0].commands == apt_install("libgl1")


def test_opencv_without_a_format() -> None:
    part = opencv.look(Answer({"version": "4.8.0", "without": ["webp"]}))
    assert "not WebP" in part.facts[0].text
    assert part.facts[0].state is State.BROKEN


def test_the_driver_says_what_gpu_there_is(driver: Callable[..., None]) -> None:
    driver()
    answer = ask({"gpu": ("gpu",)})["gpu"]
    assert answer.found["gpus"] == [
        {"name": "Pretended GPU", "capability": [8, 7], "bytes": 8 << 30}
    ]
    assert gpu.has_gpu(answer)
    assert gpu.cuda_major(answer) == 12
    (fact,) = gpu.look(answer).facts
    assert "Pretended GPU, 8.0 GiB, compute capability 8.7" in fact.text
    assert "CUDA up to 12.6" in fact.text


def test_a_driver_that_does_not_start_is_no_crash(
    driver: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(code=803, reason="system has unsupported display driver / cuda driver combination")
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho 'Failed to initialize NVML'; exit 18\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(gpu, "in_container", lambda: False)
    answer = ask({"gpu": ("gpu",)})["gpu"]
    assert not gpu.has_gpu(answer)
    part = gpu.look(answer)
    assert "Failed to initialize NVML" in part.facts[0].text
    assert "803" in answer.found["cuda_error"]
    assert part.advice[0].repair


def test_a_card_without_its_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from posegen_runtime.doctor import driver as module

    card = tmp_path / "0000:01:00.0"
    card.mkdir()
    (card / "vendor").write_text("0x10de\n")
    (card / "class").write_text("0x030000\n")
    monkeypatch.setattr(module, "PCI", tmp_path)
    monkeypatch.setattr(module, "LIBRARY", "libno-such-driver.so")
    monkeypatch.setattr(gpu, "in_container", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    part = gpu.look(Answer(ask_driver()))
    assert part.facts[0].state is State.BROKEN
    assert "not its driver" in part.advice[0].why


def test_gpus_that_are_hidden_from_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    answer = Answer({"cards": 1, "cuda_error": "CUDA error 100: no device", "smi": [["a", "1"]]})
    assert "CUDA_VISIBLE_DEVICES=" in gpu.look(answer).facts[0].text


def test_extras_are_those_of_our_own_metadata() -> None:
    extras = read_extras()
    if extras is None:
        pytest.skip("posegen is not installed here")
    assert not extras.base
    assert {"cpu", "test"} <= {*extras.installed}
    assert "gpu" not in extras.installed
    assert extras.lacking["gpu"][0].startswith("onnxruntime-gpu")


def test_too_old_is_lacking(environment: Callable[..., Path]) -> None:
    environment(
        without=["posegen-*", "onnxruntime-*", "packaging-*"],
        distributions={"onnxruntime": "1.2.0"},
    )
    import sys

    ours = Path(sys.path[-1]) / "posegen-9.dist-info"
    ours.mkdir()
    (ours / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: posegen\nVersion: 9\nRequires-Dist: packaging>=23\n"
        "Requires-Dist: onnxruntime>=1.20; extra == 'cpu'\nProvides-Extra: cpu\n"
        "Requires-Dist: posegen[cpu]; extra == 'all'\nProvides-Extra: all\n"
    )
    extras = read_extras()
    assert extras is not None
    assert extras.base == ["packaging>=23"]
    assert extras.lacking["cpu"] == ["onnxruntime>=1.20 (1.2.0 is installed)"]
    assert extras.lacking["all"] == extras.lacking["cpu"]
    assert look_at_extras(extras).advice[0].repair


@pytest.mark.parametrize(
    ("here", "listed"), [("onnxruntime", "ray"), ("onnxruntime-gpu", "ray"), (None, "cpu gpu ray")]
)
def test_an_extra_that_brings_a_second_onnx_runtime_is_not_listed(
    environment: Callable[..., Path], here: str | None, listed: str
) -> None:
    environment(without=["onnxruntime*"], distributions={here: "1.30.0"} if here else {})
    needs = {"cpu": ["onnxruntime>=1.20"], "gpu": ["onnxruntime-gpu>=1.20"]}
    if here:
        needs["cpu" if here == "onnxruntime" else "gpu"] = []
    facts = look_at_extras(
        Extras([], {**needs, "ray": ["ray[data]>=2.60 (1.0 is installed)"]})
    ).facts
    assert facts[-1].name == "not here"
    assert facts[-1].text == listed


def test_without_our_metadata_extras_are_unknown() -> None:
    assert "unknown" in look_at_extras(None).facts[0].text


def test_the_cache_is_measured_and_one_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path))
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines/a.engine").write_bytes(bytes(3000))
    assert "1 engine, 3 KiB" in look_at_cache().facts[0].text
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "engines/a.engine"))
    part = look_at_cache()
    assert part.facts[0].state is State.BROKEN
    assert "POSEGEN_CACHE" in part.advice[0].commands[0]


def test_this_machine_has_a_processor_and_memory() -> None:
    found = {fact.name: fact.text for fact in machine.look().facts}
    assert re.search(r"\d+ cores?", found["CPU"])
    assert "free" in found["memory"]


def test_commands_are_of_this_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setattr("sys.executable", str(tmp_path / "my venv/bin/python"))
    monkeypatch.chdir(tmp_path)
    assert extra("cpu") == "'my venv/bin/python' -m pip install 'posegen[cpu]'"
    monkeypatch.setattr("sys.executable", "/home/somebody/my venv/bin/python")
    assert pip_uninstall("a") == "'/home/somebody/my venv/bin/python' -m pip uninstall -y a"
    monkeypatch.setattr("sys.executable", "/home/somebody/v/bin/python")
    assert pip_install("a", "b<2") == "~/v/bin/python -m pip install a 'b<2'"
    assert tilde("/home/somebody-else") == "/home/somebody-else"


def test_an_unknown_library_has_no_command() -> None:
    assert libraries.missing_library("no library at all") == ""
    assert libraries.commands_for("libfoo.so.1") == []


def test_an_environment_of_uv_is_told_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.executable", "/v/bin/python")
    assert pip_install("a") == "uv pip install --python /v/bin/python a"
    assert pip_uninstall("a") == "uv pip uninstall --python /v/bin/python a"
