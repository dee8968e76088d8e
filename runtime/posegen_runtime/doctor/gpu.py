"""The NVIDIA GPU and its driver."""

from typing import Any

from posegen_runtime.doctor.ask import Answer
from posegen_runtime.doctor.commands import apt_install, nvidia_driver
from posegen_runtime.doctor.driver import visible
from posegen_runtime.doctor.findings import Advice, Fact, Part, State
from posegen_runtime.doctor.machine import in_container, jetson, size

NAME = "NVIDIA GPU"
INTO_CONTAINER = (
    "start the container with --gpus all (on a Jetson --runtime nvidia); the host needs "
    "nvidia-container-toolkit"
)


def has_gpu(answer: Answer) -> bool:
    """Whether CUDA shows one to this process."""
    return bool(answer.found.get("gpus"))


def cuda_major(answer: Answer) -> int:
    """Of the newest CUDA that the driver takes; 0 where that is unknown."""
    return int(str(answer.found.get("cuda") or "0").split(".")[0])


def look(answer: Answer) -> Part:
    found = answer.found
    if answer.error:
        return Part(
            [Fact(NAME, State.BROKEN, f"the driver cannot be asked: {answer.error}")],
            [Advice("NVIDIA's driver does not answer: restart the machine.", [], repair=True)],
        )
    if has_gpu(answer):
        return Part([_present(gpu, found) for gpu in found["gpus"]])
    hidden = visible()
    why = found.get("smi_error") or found.get("cuda_error", "")
    if not (found.get("cards") or found.get("smi") or jetson()) and found.get("no_library"):
        text = "none found"
        if in_container():
            text += "; a container sees one only when started with --gpus all"
        return Part([Fact(NAME, State.ABSENT, text)])
    if hidden:
        return Part([Fact(NAME, State.ABSENT, f"hidden from this process by {hidden}")])
    if found.get("smi_error") or found.get("cards") or found.get("smi") or jetson():
        return Part([Fact(NAME, State.BROKEN, f"cannot be used: {why}")], [_repair(found)])
    return Part([Fact(NAME, State.ABSENT, f"none that CUDA shows ({why})")])


def _present(gpu: dict[str, Any], found: dict[str, Any]) -> Fact:
    major, minor = gpu["capability"]
    words = [f"{gpu['name']}, {size(gpu['bytes'])}, compute capability {major}.{minor}"]
    drivers = [row[1] for row in found.get("smi", []) if len(row) > 1]
    if drivers:
        words.append(f"driver {drivers[0]}")
    if found.get("cuda"):
        words.append(f"CUDA up to {found['cuda']}")
    return Fact(NAME, State.OK, ", ".join(words))


def _repair(found: dict[str, Any]) -> Advice:
    if in_container():
        return Advice(f"The GPU is not in this container: {INTO_CONTAINER}.", [], True)
    if jetson():
        why = "A Jetson's driver and CUDA come with JetPack."
        return Advice(why, apt_install("nvidia-jetpack"), True)
    if found.get("no_library"):
        return Advice("An NVIDIA card is here, but not its driver.", nvidia_driver(), True)
    why = (
        "The driver is installed but does not work: restart the machine first, as after an update "
        "its parts differ; else install it again."
    )
    return Advice(why, nvidia_driver(), True)
