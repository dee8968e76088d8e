"""OpenCV: one of it, and every format that PoseGen reads or writes."""

from posegen_runtime.doctor.ask import Answer
from posegen_runtime.doctor.commands import apt_install, pip_install, pip_uninstall
from posegen_runtime.doctor.findings import Advice, Fact, Part, State
from posegen_runtime.doctor.libraries import commands_for, missing_library
from posegen_runtime.doctor.machine import jetson
from posegen_runtime.doctor.packages import OPENCV, installed

NAME = "OpenCV"
FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WebP", "tiff": "TIFF", "bmp": "BMP"}


def look(answer: Answer) -> Part:
    here = installed(OPENCV)
    if answer.missing and not here:
        needed = Advice("OpenCV, which reads and writes images.", _install(), repair=True)
        return Part([Fact(NAME, State.BROKEN, "not installed")], [needed])
    advice = [_one_of(here)] if len(here) > 1 else []
    version = answer.found.get("version")
    named = " and ".join(here) or "of the system"
    if version is None:
        text = f"{named}, but cannot be imported: {answer.error}"
        return Part([Fact(NAME, State.BROKEN, text)], advice or [_repair(here, answer.error)])
    without = answer.found.get("without", [])
    formats = ", ".join(label for kind, label in FORMATS.items() if kind not in without)
    text = f"{version} ({named}): {formats}"
    if without:
        text += f"; not {', '.join(FORMATS[kind] for kind in without)}"
    if answer.error:
        text += f"; {answer.error}"
    broken = len(here) > 1 or bool(without) or bool(answer.error)
    if without and not advice:
        why = "This OpenCV was built without formats of images that PoseGen reads and writes."
        advice = [Advice(why, _install(), repair=True)]
    return Part([Fact(NAME, State.BROKEN if broken else State.OK, text)], advice)


def _one_of(here: dict[str, str]) -> Advice:
    kept = next(iter(here))  # headless where it is among them: it needs least of the system
    return Advice(
        f"{' and '.join(here)} write the same files, and which is used is chance: remove all, then "
        "install one.",
        [pip_uninstall(*here), pip_install(kept)],
        repair=True,
    )


def _repair(here: dict[str, str], error: str) -> Advice:
    library = missing_library(error)
    commands = commands_for(library)
    if commands:
        return Advice(f"OpenCV needs {library}.", commands, repair=True)
    again = [pip_install("--force-reinstall", "--no-deps", *here)] if here else _install()
    return Advice("OpenCV is broken: install it again.", again, repair=True)


def _install() -> list[str]:
    return apt_install("python3-opencv") if jetson() else [pip_install("opencv-python-headless")]
