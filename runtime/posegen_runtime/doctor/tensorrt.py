"""TensorRT in both flavours, and what reaches the GPU's memory for it."""

from posegen_runtime.doctor.ask import Answer
from posegen_runtime.doctor.commands import apt_install, extra, pip_install
from posegen_runtime.doctor.findings import Advice, Fact, Part, State
from posegen_runtime.doctor.libraries import missing_library
from posegen_runtime.doctor.machine import jetson
from posegen_runtime.doctor.packages import installed

NEWEST_CUDA = 13
"""What the newest TensorRT is built for; its wheels for CUDA 12 have a name of their own."""

ON_CUDA_12 = ("tensorrt-cu12>=10.3", "cuda-core>=1.0", "cuda-bindings>=12,<13")

FLAVORS = {"tensorrt": ("TensorRT", "tensorrt"), "tensorrt_rtx": ("TensorRT-RTX", "rtx")}
"""Module → name for people, extra."""

ADAPTERS = {"cuda_core": "cuda-core", "pycuda": "PyCUDA"}


def look(answers: dict[str, Answer], gpu: bool, driver: int) -> Part:
    """`gpu`, `driver` as in `onnxruntime.look`."""
    facts, advice = [], []
    for module, (name, extra_name) in FLAVORS.items():
        part = _flavor(module, name, extra_name, answers[module], gpu, driver)
        facts += part.facts
        advice += part.advice
    flavors = any("version" in answers[module].found for module in FLAVORS)
    if gpu and not flavors and not advice:
        advice.append(_install(driver))
    adapters = [name for name in ADAPTERS if answers[name].found.get("gpu")]
    for name, label in ADAPTERS.items():
        facts.append(_adapter(label, answers[name], gpu))
    if gpu and flavors and not adapters:
        command = extra("jetson") if jetson() else pip_install("cuda-core", _bindings(driver))
        why = "TensorRT needs cuda-core (or PyCUDA) to reach the GPU's memory."
        advice.append(Advice(why, [command], repair=True))
    return Part(facts, advice)


def _flavor(
    module: str, name: str, extra_name: str, answer: Answer, gpu: bool, driver: int
) -> Part:
    wheels = _wheels(module)
    version = answer.found.get("version")
    if version is None and not wheels and _not_installed(answer):
        return Part([Fact(name, State.ABSENT, "not installed")])
    if version is None:
        library = missing_library(answer.error)
        first = next((f"{wheel} {number}" for wheel, number in wheels.items()), "installed")
        text = f"{first}, but cannot be imported: {answer.error}"
        why = f"{name} is here without its library {library}." if library else f"{name} is broken."
        again = [pip_install("--force-reinstall", "--no-deps", *_exact(wheels))]
        commands = again if wheels and not library else [_again(extra_name, wheels, driver)]
        return Part([Fact(name, State.BROKEN, text)], [Advice(why, commands, repair=gpu)])
    origin = f"{version} ({next(iter(wheels))})" if wheels else f"{version} (of the system)"
    if answer.error:
        return Part([Fact(name, State.BROKEN, f"{origin}: {answer.error}")])
    runtime = answer.found.get("runtime")
    if runtime:
        text = f"{origin}: cannot start ({runtime})"
        why = f"{name} {version} may be built for a newer CUDA than the driver takes."
        commands = [pip_install(*ON_CUDA_12)] if 0 < driver < NEWEST_CUDA else []
        why += " Update the driver" + (", or take the build for CUDA 12." if commands else ".")
        return Part([Fact(name, State.BROKEN, text)], [Advice(why, commands, repair=True)])
    if not gpu:
        text = f"{origin}: imports, its libraries are here; without a GPU it runs nothing"
        return Part([Fact(name, State.ABSENT, text)])
    return Part([Fact(name, State.OK, origin)])


def _wheels(module: str) -> dict[str, str]:
    """Distributions that bring it, the one that a user asks for first."""
    base = module.replace("_", "-")
    names = [base, *(f"{base}-cu{major}" for major in (13, 12))]
    names += [f"{name}-{part}" for name in names for part in ("bindings", "libs")]
    return installed(tuple(names))


def _exact(wheels: dict[str, str]) -> list[str]:
    return [f"{name}=={number}" for name, number in wheels.items()]


def _again(extra_name: str, wheels: dict[str, str], driver: int) -> str:
    """What brings the libraries to bindings that are there without."""
    if not wheels and jetson():
        return (apt_install("tensorrt") or [extra(extra_name)])[0]
    for name, number in wheels.items():
        if name.endswith("-bindings"):
            return pip_install(f"{name.removesuffix('bindings')}libs=={number}")
    return extra(extra_name)


def _not_installed(answer: Answer) -> bool:
    return answer.missing or "is not installed" in answer.error


def _install(driver: int) -> Advice:
    why = "TensorRT, the fastest on this GPU; its first run builds an engine, which takes minutes."
    if jetson():
        why = "TensorRT comes with JetPack; Python must be allowed to see it."
        commands = [
            *apt_install("tensorrt", "python3-libnvinfer"),
            "python3 -m venv --system-site-packages .venv",
            ".venv/bin/python -m pip install 'posegen[jetson]'",
        ]
        return Advice(why, commands)
    if 0 < driver < NEWEST_CUDA:
        return Advice(why, [pip_install(*ON_CUDA_12)])
    return Advice(why, [extra("tensorrt")])


def _bindings(driver: int) -> str:
    return "cuda-bindings>=12,<13" if 0 < driver < NEWEST_CUDA else "cuda-bindings>=12"


def _adapter(label: str, answer: Answer, gpu: bool) -> Fact:
    number = installed(("cuda-core", "cuda-bindings") if label == "cuda-core" else ("pycuda",))
    named = ", ".join(number.values()) if label == "PyCUDA" else _and_bindings(number)
    if answer.missing or (not number and not answer.found):
        return Fact(label, State.ABSENT, "not installed")
    if answer.error:
        return Fact(label, State.BROKEN, f"{named}: {answer.error}")
    if not gpu:
        return Fact(label, State.ABSENT, f"{named}: imports; without a GPU it runs nothing")
    return Fact(label, State.OK, named)


def _and_bindings(number: dict[str, str]) -> str:
    core, bindings = number.get("cuda-core", "?"), number.get("cuda-bindings", "none")
    return f"{core} (cuda-bindings {bindings})"
