"""OpenVINO on the CPU."""

from posegen_runtime.doctor.ask import Answer
from posegen_runtime.doctor.commands import extra, pip_install
from posegen_runtime.doctor.findings import Advice, Fact, Part, State
from posegen_runtime.doctor.libraries import commands_for, missing_library
from posegen_runtime.doctor.packages import version

NAME = "OpenVINO"


def look(answer: Answer, gpu: bool) -> Part:
    number = version("openvino")
    if answer.missing and number is None:
        why = "OpenVINO, which runs the INT8 variant faster on a CPU than ONNX Runtime does."
        advice = [] if gpu else [Advice(why, [extra("openvino")])]
        return Part([Fact(NAME, State.ABSENT, "not installed")], advice)
    found = answer.found.get("version", number or "")
    devices = answer.found.get("devices")
    if answer.error or not devices:
        text = f"{found}: {answer.error or 'shows no device'}"
        library = missing_library(answer.error)
        again = pip_install("--force-reinstall", "--no-deps", f"openvino=={number or found}")
        why = f"OpenVINO needs {library}." if library else "OpenVINO is broken: install it again."
        advice = [Advice(why, commands_for(library) or [again], repair=True)]
        return Part([Fact(NAME, State.BROKEN, text)], advice)
    return Part([Fact(NAME, State.OK, f"{found}: {', '.join(devices)}")])
