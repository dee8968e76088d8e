"""All probes at once, and what they mean together."""

import importlib.util
import time
from pathlib import Path

import msgspec

from posegen_runtime import __version__
from posegen_runtime.choices import BackendName
from posegen_runtime.doctor import files, gpu, machine, onnxruntime, opencv, openvino, tensorrt
from posegen_runtime.doctor.ask import PATIENCE, Answer, ask
from posegen_runtime.doctor.findings import Advice, Diagnosis, Part, Section, Trial
from posegen_runtime.doctor.packages import read_extras

MODULES = {
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "opencv": "cv2",
    "tensorrt": "tensorrt",
    "tensorrt_rtx": "tensorrt_rtx",
    "cuda_core": "cuda.core",
    "pycuda": "pycuda",
}
"""Probe → what it imports. One whose module is nowhere is not started."""

ENGINES = {BackendName.CPU: "onnxruntime", BackendName.OPENVINO: "openvino"}
"""What could generate on a CPU where `auto` does not."""


def diagnose(bundle: Path | None = None, patience: float = PATIENCE) -> Diagnosis:
    """`bundle` None is the one that comes along. Takes about as long as the slowest probe, at most
    twice `patience` seconds. Raises nothing that the machine is to blame for."""
    began = time.monotonic()
    named = "" if bundle is None else str(bundle)
    answers = _ask_all(named, patience)
    auto = answers["auto"]
    trials = _trials(answers, named, patience)
    can_generate, verdict = _verdict(auto, trials)
    has_gpu, driver = gpu.has_gpu(answers["gpu"]), gpu.cuda_major(answers["gpu"])
    extras = files.look_at_extras(read_extras())
    cache = files.look_at_cache()
    codecs = opencv.look(answers["opencv"])
    parts = {
        "Machine": [machine.look(), gpu.look(answers["gpu"])],
        "Engines": [
            onnxruntime.look(answers["onnxruntime"], has_gpu, driver),
            openvino.look(answers["openvino"], has_gpu),
            tensorrt.look(answers, has_gpu, driver),
        ],
        "Files": [codecs, Part([files.look_at_bundle(auto)]), cache],
        "Python packages": [extras],
    }
    advice = [advice for group in parts.values() for part in group for advice in part.advice]
    return Diagnosis(
        posegen=__version__,
        can_generate=can_generate,
        verdict=verdict,
        auto=auto.found.get("auto") or {"error": auto.error},
        trials=trials,
        sections=[
            Section(title, [fact for part in group for fact in part.facts])
            for title, group in parts.items()
        ],
        advice=_in_order(advice),
        answers=msgspec.to_builtins(answers),
        seconds=round(time.monotonic() - began, 2),
    )


def _ask_all(bundle: str, patience: float) -> dict[str, Answer]:
    questions = {name: (name,) for name, module in MODULES.items() if _is_there(module)}
    answers = ask({**questions, "gpu": ("gpu",), "auto": ("auto", bundle)}, patience)
    absent = {name: Answer(missing=True) for name in MODULES if name not in questions}
    return answers | absent


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # its parent is not there, or is no package
        return False


def _trials(answers: dict[str, Answer], bundle: str, patience: float) -> list[Trial]:
    """An image with what `auto` takes; where that fails, with the others that could."""
    auto = answers["auto"]
    if not auto.found.get("bundle"):
        return []
    chosen = auto.found.get("auto", {}).get("backend", "")
    if chosen == BackendName.TENSORRT.value:
        return []
    trials = [Trial(chosen, auto.error)] if chosen else []
    if auto.error:
        others = {
            backend.value: ("trial", backend.value, bundle)
            for backend, probe in ENGINES.items()
            if backend.value != chosen and answers[probe].found
        }
        tried = ask(others, patience)
        trials += [Trial(backend, answer.error) for backend, answer in tried.items()]
    return trials


def _verdict(auto: Answer, trials: list[Trial]) -> tuple[bool, str]:
    chosen = auto.found.get("auto")
    if not auto.found.get("bundle"):
        return False, f"this machine cannot generate: {auto.error}"
    if chosen and chosen["backend"] == BackendName.TENSORRT.value:
        return True, "this machine can generate, on its GPU through TensorRT"
    worked = [trial.backend for trial in trials if not trial.error]
    if not worked:
        return False, f"this machine cannot generate: {auto.error or 'no backend works'}"
    if chosen and chosen["backend"] == worked[0]:
        return True, f"this machine can generate, with backend {worked[0]}"
    return True, f"this machine can generate, but only with --backend {worked[0]}"


def _in_order(advice: list[Advice]) -> list[Advice]:
    """What is broken first; each once."""
    seen: dict[str, Advice] = {}
    for item in advice:
        seen.setdefault(item.why, item)
    return sorted(seen.values(), key=lambda item: not item.repair)
