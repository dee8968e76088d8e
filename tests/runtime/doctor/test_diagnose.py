"""The doctor on whole machines: this one, and ones that are broken as machines are."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.doctor.ask import ask
from posegen_runtime.doctor.diagnose import diagnose
from posegen_runtime.doctor.files import look_at_bundle
from posegen_runtime.doctor.findings import Diagnosis, Fact, State
from posegen_runtime.doctor.text import to_text


def facts(diagnosis: Diagnosis) -> dict[str, Fact]:
    return {fact.name: fact for section in diagnosis.sections for fact in section.facts}


def commands(diagnosis: Diagnosis) -> list[str]:
    return [command for advice in diagnosis.advice for command in advice.commands]


def test_this_machine_can_generate_and_says_with_what(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code = (
        "import sys; from posegen_runtime.cli import app; "
        "from posegen_runtime.console import run_app; "
        f"code = run_app(app, ['--doctor', '--json', {str(report)!r}]); "
        "heavy = {'torch', 'onnx', 'onnxruntime', 'numpy', 'cv2'} & {*sys.modules}; "
        "sys.exit(code or len(heavy))"
    )
    environment = {**os.environ, "COLUMNS": "80", "POSEGEN_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "this machine can generate, with backend " in done.stdout
    for line in done.stdout.splitlines():
        assert len(line) <= 80 or str(tmp_path) in line
    written = json.loads(report.read_text())
    assert written["can_generate"]
    assert written["auto"]["backend"] in ("cpu", "cuda", "tensorrt")
    assert written["auto"]["why"] in " ".join(done.stdout.split())
    assert str(Path.home()) + "/" not in report.read_text()


def test_without_any_engine_it_names_the_command(environment: Any) -> None:
    environment(without=["onnxruntime*", "openvino*"])
    diagnosis = diagnose()
    assert not diagnosis.can_generate
    assert facts(diagnosis)["ONNX Runtime"].text == "not installed"
    assert facts(diagnosis)["model"].state is State.OK
    assert "posegen[cpu]" in diagnosis.auto["error"]
    assert any(command.endswith("-m pip install 'posegen[cpu]'") for command in commands(diagnosis))


def test_what_is_broken_in_many_ways_is_told_with_its_repair(environment: Any) -> None:
    """The usual traps at once. OpenVINO is whole, and generates."""
    environment(
        fakes={
            "onnxruntime": "raise OSError('libgomp.so.1: cannot open shared object file: no')",
            "tensorrt": "raise ImportError('libnvinfer.so.11: cannot open shared object file: no')",
            "tensorrt_rtx": "import os; os.kill(os.getpid(), 4)",
        },
        distributions={
            "onnxruntime-gpu": "1.31.1",
            "opencv-python": "4.9.0",
            "tensorrt_cu13_bindings": "11.0.0",
        },
    )
    diagnosis = diagnose()
    assert diagnosis.can_generate
    assert diagnosis.auto["backend"] == "openvino"
    found = facts(diagnosis)
    assert "libgomp.so.1" in found["ONNX Runtime"].text
    assert "SIGILL" in found["TensorRT-RTX"].text
    assert "libnvinfer.so.11" in found["TensorRT"].text
    told = "\n".join(commands(diagnosis))
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in told
    assert "pip uninstall -y opencv-python-headless opencv-python" in told
    assert "pip install tensorrt-cu13-libs==11.0.0" in told
    assert [advice.repair for advice in diagnosis.advice] == [True, True, False, False]
    assert "To repair" in to_text(diagnosis)


def test_a_model_that_was_changed_generates_nothing(tiny_bundle: Path, tmp_path: Path) -> None:
    changed = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, changed)
    graph = next(changed.rglob("*.onnx"))
    graph.write_bytes(graph.read_bytes() + b"\0")
    answer = ask({"auto": ("auto", str(changed))})["auto"]
    fact = look_at_bundle(answer)
    assert fact.state is State.BROKEN
    assert "changed since export" in fact.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--doctor", "--masks", "x"], "--masks: --doctor does not take it"),
        (["--json", "x"], "--json: only --doctor takes it"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], message: str, capsys: Any) -> None:
    assert run_app(app, arguments) == 2
    assert message in capsys.readouterr().err
