"""System, processor and memory."""

import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from posegen_runtime.doctor.commands import tilde
from posegen_runtime.doctor.findings import Fact, Part, State

MATTERS = {
    "avx2": "AVX2",
    "fma": "FMA",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI",
    "avx_vnni": "VNNI",
    "avx512_bf16": "BF16",
    "amx_int8": "AMX",
    "asimd": "NEON",
    "asimddp": "dot product",
    "i8mm": "I8MM",
    "bf16": "BF16",
    "sve": "SVE",
}
"""What engines compute with, by the kernel's names. For INT8: VNNI, AMX, dot product, I8MM."""

TEGRA = Path("/etc/nv_tegra_release")


def look() -> Part:
    return Part([_system(), _python(), _processor(), _memory()])


def jetson() -> str:
    """The release of a Jetson's system, such as "L4T 36.4.3"; empty elsewhere."""
    with suppress(OSError):
        found = re.search(r"R(\d+) .*?REVISION: ([\d.]+)", TEGRA.read_text())
        return f"L4T {found[1]}.{found[2]}" if found else "L4T"
    return "L4T" if "tegra" in platform.release() else ""


def in_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))


def _system() -> Fact:
    name = platform.system()
    with suppress(OSError, AttributeError):
        name = platform.freedesktop_os_release().get("PRETTY_NAME", name)
    words = [name, platform.machine()]
    if name != platform.system():
        words.insert(1, f"{platform.system()} {platform.release()}")
    words += [release for release in [jetson()] if release]
    words += ["in a container"] if in_container() else []
    return Fact("system", State.OK, ", ".join(words))


def _python() -> Fact:
    return Fact("Python", State.OK, f"{platform.python_version()}, {tilde(sys.prefix)}")


def _processor() -> Fact:
    model, flags = _cpuinfo()
    cores = _cores()
    named = list(dict.fromkeys(name for flag, name in MATTERS.items() if flag in flags))
    text = f"{model or platform.machine()}, {cores} core{'s' * (cores > 1)}"
    if named:
        text += f"; {', '.join(named)}"
    limit = _processor_limit()
    if limit is not None and limit < cores:
        text += f"; limited to the time of {limit:g}"
    if flags and "avx" not in flags and platform.machine() in ("x86_64", "AMD64"):
        return Fact("CPU", State.BROKEN, f"{text}; no AVX: most engines' wheels need it")
    return Fact("CPU", State.OK, text)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpuinfo() -> tuple[str, set[str]]:
    """Model and features, both perhaps empty."""
    text = _read("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.+)$", text, re.MULTILINE)
    return (model[1] if model else _model()), set(flags[1].split()) if flags else set()


def _model() -> str:
    """Of an ARM processor, whose number `lscpu` can name."""
    command = shutil.which("lscpu")
    if command is None:
        return platform.processor()
    with suppress(OSError, subprocess.TimeoutExpired):
        told = subprocess.run([command], capture_output=True, text=True, timeout=5).stdout
        names = re.findall(r"Model name:\s*(.+)$", told, re.MULTILINE)
        return ", ".join(dict.fromkeys(names))
    return ""


def _processor_limit() -> float | None:
    """Of a container, in cores."""
    words = _read("/sys/fs/cgroup/cpu.max").split()
    if len(words) == 2 and all(word.isdigit() for word in words):
        return int(words[0]) / int(words[1])
    return None


def _memory() -> Fact:
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB", _read("/proc/meminfo"), re.MULTILINE))
    if "MemTotal" not in found:
        return Fact("memory", State.OK, "unknown")
    total, free = (int(found.get(name, 0)) * 1024 for name in ("MemTotal", "MemAvailable"))
    text = f"{size(total)}, {size(free)} free"
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    if limit.isdigit() and int(limit) < total:
        text += f"; limited to {size(int(limit))}"
    return Fact("memory", State.OK, text)


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _read(file: str) -> str:
    try:
        return Path(file).read_text(errors="replace")
    except OSError:
        return ""
