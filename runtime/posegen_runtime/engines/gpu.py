"""The GPU that engines run on, asked of the CUDA driver itself: no CUDA package is needed."""

import ctypes
import functools
import sys
from dataclasses import dataclass

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
MAJOR, MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR."""

Capability = tuple[int, int]
"""Compute capability, such as (8, 7)."""


@dataclass(frozen=True)
class Gpu:
    name: str
    capability: Capability


@functools.cache
def find_gpu() -> Gpu | None:
    """The first GPU that CUDA shows to this process, None where there is none."""
    try:
        cuda = ctypes.CDLL(LIBRARY)
    except OSError:
        return None
    device = ctypes.c_int()
    if cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0):
        return None
    name = ctypes.create_string_buffer(256)
    numbers = [ctypes.c_int(), ctypes.c_int()]
    failed = cuda.cuDeviceGetName(name, len(name), device)
    for number, attribute in zip(numbers, (MAJOR, MINOR), strict=True):
        failed |= cuda.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
    if failed:
        return None
    return Gpu(name.value.decode(errors="replace"), (numbers[0].value, numbers[1].value))
