"""NVIDIA's driver, asked through `nvidia-smi` and through CUDA's own library."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from posegen_runtime.engines.gpu import LIBRARY, MAJOR, MINOR

QUERY = "name,driver_version,memory.total,memory.free"
PCI = Path("/sys/bus/pci/devices")
NVIDIA, DISPLAY = "0x10de", "0x03"
"""PCI's number of the vendor, and of the class of display controllers."""


def ask_driver() -> dict[str, Any]:
    """`cards`: on the PCI bus; `smi`: (name, driver, MiB, MiB free) each, or `smi_error`;
    `gpus`: what CUDA shows to this process, or `cuda_error`; `cuda`: the version that the driver
    takes."""
    return {"cards": _cards(), **_ask_smi(), **_ask_cuda()}


def _cards() -> int:
    found = 0
    for card in PCI.glob("*") if PCI.is_dir() else ():
        try:
            vendor, kind = (card / "vendor").read_text(), (card / "class").read_text()
        except OSError:
            continue
        found += vendor.strip() == NVIDIA and kind.startswith(DISPLAY)
    return found


def _ask_smi() -> dict[str, Any]:
    command = shutil.which("nvidia-smi")
    if command is None:
        return {}
    try:
        done = subprocess.run(
            [command, f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=15,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"smi_error": " ".join(str(error).split())}
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    if done.returncode or not rows:
        return {"smi_error": " ".join((done.stdout + done.stderr).split()) or "it says nothing"}
    return {"smi": rows}


def _ask_cuda() -> dict[str, Any]:
    try:
        cuda = ctypes.CDLL(LIBRARY)
    except OSError as error:
        return {"cuda_error": " ".join(str(error).split()), "no_library": True}
    number = ctypes.c_int()
    version = ""
    if not cuda.cuDriverGetVersion(ctypes.byref(number)):
        version = f"{number.value // 1000}.{number.value % 1000 // 10}"
    code = cuda.cuInit(0)
    if code:
        return {"cuda": version, "cuda_error": _name(cuda, code), "code": code}
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    return {"cuda": version, "gpus": [_gpu(cuda, index) for index in range(count.value)]}


def _gpu(cuda: Any, index: int) -> dict[str, Any]:
    device = ctypes.c_int()
    cuda.cuDeviceGet(ctypes.byref(device), index)
    name = ctypes.create_string_buffer(256)
    cuda.cuDeviceGetName(name, len(name), device)
    numbers = [ctypes.c_int(), ctypes.c_int()]
    for number, attribute in zip(numbers, (MAJOR, MINOR), strict=True):
        cuda.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
    size = ctypes.c_size_t()
    cuda.cuDeviceTotalMem_v2(ctypes.byref(size), device)
    return {
        "name": name.value.decode(errors="replace"),
        "capability": [number.value for number in numbers],
        "bytes": size.value,
    }


def _name(cuda: Any, code: int) -> str:
    text = ctypes.c_char_p()
    if cuda.cuGetErrorString(code, ctypes.byref(text)) or not text.value:
        return f"CUDA error {code}"
    return f"CUDA error {code}: {text.value.decode(errors='replace')}"


def visible() -> str | None:
    """What hides GPUs from this process, where something does."""
    for name in ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"):
        value = os.environ.get(name)
        if value is not None and value.strip() in ("", "-1", "none", "void", "NoDevFiles"):
            return f"{name}={value}"
    return None
