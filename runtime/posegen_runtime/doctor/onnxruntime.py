"""ONNX Runtime: which packages, which version, and which providers can really be loaded."""

from posegen_runtime.doctor.ask import Answer
from posegen_runtime.doctor.commands import extra, pip_install, pip_uninstall
from posegen_runtime.doctor.findings import Advice, Fact, Part, State
from posegen_runtime.doctor.libraries import commands_for, missing_library
from posegen_runtime.doctor.machine import jetson
from posegen_runtime.doctor.packages import ONNXRUNTIME, installed

NAME = "ONNX Runtime"
SUFFIX = "ExecutionProvider"
NEWEST_CUDA = 13
WITH_CUDA = "onnxruntime-gpu[cuda,cudnn]"
"""Brings CUDA's libraries, too: `posegen[gpu]` takes those of the system."""
FOR_CUDA_12 = f"{WITH_CUDA}>=1.21,<1.27"
"""From 1.27 on the wheels are built for CUDA 13."""
CPU, CUDA = f"CPU{SUFFIX}", f"CUDA{SUFFIX}"


def look(answer: Answer, gpu: bool, driver: int) -> Part:
    """`gpu`: whether CUDA shows one here; `driver`: the newest major version of CUDA that it takes,
    0 if unknown."""
    here = installed(ONNXRUNTIME)
    named = ", ".join(f"{name} {number}" for name, number in here.items())
    advice = []
    if len(here) > 1:
        advice.append(_one_of(here, gpu))
    if answer.missing and not here:
        advice = [_install(gpu, driver)]
        return Part([Fact(NAME, State.ABSENT, "not installed")], advice)
    version = answer.found.get("version")
    if version is None:
        text = f"{named or 'installed'}, but cannot be imported: {answer.error}"
        return Part([Fact(NAME, State.BROKEN, text)], advice or [_repair(here, answer.error, gpu)])
    facts = [_providers(version, here, named, answer)]
    if len(here) > 1:
        facts.append(Fact("", State.BROKEN, f"{named} overwrite each other"))
    facts += _cuda(answer, gpu, driver, advice)
    return Part(facts, advice)


def _providers(version: str, here: dict[str, str], named: str, answer: Answer) -> Fact:
    providers: dict[str, str | None] = answer.found.get("providers", {})
    words, broken = [], bool(answer.error)
    for name, why in providers.items():
        short = name.removesuffix(SUFFIX)
        if why is not None:  # tried
            words.append(f"{short} {'does not load' if why else 'loads'}")
        broken |= name == CPU and bool(why)
    package = named if len(here) == 1 else version
    if version not in package:
        package = f"{named}, imports as {version}"
    text = f"{package}: {', '.join(words)}"
    if answer.error:
        text += f"; {answer.error}"
    return Fact(NAME, State.BROKEN if broken else State.OK, text)


def _cuda(answer: Answer, gpu: bool, driver: int, advice: list[Advice]) -> list[Fact]:
    """What to say of CUDA where a GPU is here; adds to `advice`."""
    if not gpu:
        return []
    providers: dict[str, str | None] = answer.found.get("providers", {})
    if CUDA not in providers:
        if not advice and not jetson():  # no wheel with CUDA is for a Jetson
            why = "ONNX Runtime was built without CUDA: to use it on the GPU, take the other build."
            both = [pip_uninstall(*installed(ONNXRUNTIME)), pip_install(_with_cuda(driver))]
            advice.append(Advice(why, both))
        return []
    why_not = providers[CUDA]
    if not why_not:
        return []
    built = str(answer.found.get("cuda") or "")
    major = int(built.split(".")[0]) if built[:1].isdigit() else 0
    if driver and major > driver:
        why = (
            f"ONNX Runtime is built for CUDA {built}, and this driver takes CUDA {driver} at most: "
            "update the driver, or take the last build for CUDA 12."
        )
    else:
        library = missing_library(why_not)
        why = f"ONNX Runtime cannot load CUDA{f', for want of {library}' * bool(library)}."
    advice.append(Advice(why, [pip_install(_with_cuda(driver))], repair=True))
    return [Fact("", State.BROKEN, f"CUDA: {why_not}")]


def _with_cuda(driver: int) -> str:
    return FOR_CUDA_12 if 0 < driver < NEWEST_CUDA else WITH_CUDA


def _one_of(here: dict[str, str], gpu: bool) -> Advice:
    kept = "gpu" if gpu and "onnxruntime-gpu" in here else "cpu"
    return Advice(
        f"{' and '.join(here)} write the same files, and which is used is chance: remove all, then "
        f"install one ('{kept}' here).",
        [pip_uninstall(*here), extra(kept)],
        repair=True,
    )


def _install(gpu: bool, driver: int) -> Advice:
    if gpu and not jetson():
        why = "ONNX Runtime, which runs the model on the GPU or the CPU."
        return Advice(why, [pip_install(_with_cuda(driver))])
    return Advice("ONNX Runtime, which runs the model on the CPU.", [extra("cpu")])


def _repair(here: dict[str, str], error: str, gpu: bool) -> Advice:
    library = missing_library(error)
    commands = commands_for(library)
    if commands:
        return Advice(f"ONNX Runtime needs {library}.", commands, repair=True)
    kept = "gpu" if "onnxruntime-gpu" in here else "cpu"
    commands = [pip_uninstall(*here)] if here else []
    return Advice(
        "ONNX Runtime is broken: install it again.", [*commands, extra(kept)], repair=True
    )
