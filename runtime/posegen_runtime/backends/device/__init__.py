"""The GPU behind one small interface: cuda-core by default, PyCUDA as the second adapter."""

import os

from posegen_runtime.backends.device.base import Device
from posegen_runtime.errors import PoseGenError

VARIABLE = "POSEGEN_CUDA"
ADAPTERS = ("cuda-core", "pycuda")


def open_device(adapter: str | None = None) -> Device:
    """The first GPU that CUDA shows to this process.

    `adapter` is one of `ADAPTERS`; None takes what the environment variable POSEGEN_CUDA names,
    else cuda-core. Raises `PoseGenError` when that is not installed or finds no GPU.
    """
    name = adapter or os.environ.get(VARIABLE) or ADAPTERS[0]
    if name not in ADAPTERS:
        raise PoseGenError(f"{VARIABLE}={name}: must be one of {', '.join(ADAPTERS)}")
    try:
        if name == "pycuda":
            from posegen_runtime.backends.device.pycuda import PycudaDevice

            return PycudaDevice()
        from posegen_runtime.backends.device.cuda_core import CudaCoreDevice

        return CudaCoreDevice()
    except ImportError as error:
        raise PoseGenError(
            f"{name} is not installed ({error}): pip install 'posegen[tensorrt]' for cuda-core "
            f"('posegen[jetson]' on a Jetson), or pip install pycuda and set {VARIABLE}=pycuda"
        ) from error
    except Exception as error:  # each library has its own errors, all of them about the driver
        reason = " ".join(str(error).split())
        raise PoseGenError(
            f"{name} can use no NVIDIA GPU here ({reason}); repair the driver, or take "
            "--backend cpu"
        ) from error
