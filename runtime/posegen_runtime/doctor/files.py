"""The model that comes along, or the one named, and the folder for engines."""

import shutil
import tempfile
from pathlib import Path

from posegen_runtime.doctor.ask import Answer
from posegen_runtime.doctor.commands import extra, tilde
from posegen_runtime.doctor.findings import Advice, Fact, Part, State
from posegen_runtime.doctor.machine import size
from posegen_runtime.doctor.packages import Extras
from posegen_runtime.engines.cache import VARIABLE, cache_folder
from posegen_runtime.errors import PoseGenError

LITTLE = 2 * 2**30
"""Bytes. An engine has some 10 to 100 MB, and building one takes about as much for a while."""


def look_at_bundle(answer: Answer) -> Fact:
    bundle = answer.found.get("bundle")
    if bundle is None:
        return Fact("model", State.BROKEN, answer.error or "cannot be read")
    height, width = bundle["image_size"]
    return Fact(
        "model",
        State.OK,
        f"{bundle['name']}, {bundle['variant']}, {width}x{height}, "
        f"{' '.join(bundle['precisions'])}: all {bundle['files']} files are as exported",
    )


def look_at_cache() -> Part:
    try:
        folder = cache_folder()
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor"):
            pass
        free = shutil.disk_usage(folder).free
        engines, held = _held(folder)
    except (PoseGenError, OSError) as error:
        text = tilde(str(error))
        why = "TensorRT's engines have no place: name a folder that can be written."
        advice = [Advice(why, [f"export {VARIABLE}=/a/folder/of/yours"])]
        return Part([Fact("engine cache", State.BROKEN, text)], advice)
    text = f"{tilde(str(folder))}: {engines} engine{'s' * (engines != 1)}, {size(held)}"
    text += f"; {size(free)} free"
    if free < LITTLE:
        return Part([Fact("engine cache", State.BROKEN, f"{text}, which is little")])
    return Part([Fact("engine cache", State.OK, text)])


def _held(folder: Path) -> tuple[int, int]:
    """How many engines, and bytes of all files."""
    engines = held = 0
    for file in folder.iterdir():
        try:
            held += file.stat().st_size
        except OSError:  # another process has just removed it
            continue
        engines += file.suffix == ".engine"
    return engines, held


def look_at_extras(extras: Extras | None) -> Part:
    if extras is None:
        text = "unknown: posegen itself is not installed here, only on the path"
        return Part([Fact("extras", State.ABSENT, text)])
    facts, advice = [], []
    if extras.base:
        facts.append(Fact("posegen", State.BROKEN, f"needs {', '.join(extras.base)}"))
        advice.append(
            Advice("What posegen itself needs is missing or too old.", [_base()], repair=True)
        )
    facts.append(Fact("extras here", State.OK, " ".join(extras.installed) or "none"))
    if extras.addable:
        facts.append(Fact("not here", State.ABSENT, " ".join(extras.addable)))
    return Part(facts, advice)


def _base() -> str:
    return extra("cpu").replace("'posegen[cpu]'", "posegen")
