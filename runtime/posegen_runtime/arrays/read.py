"""Arrays of any library by their protocols: the buffer's, NumPy's, DLPack, CUDA's array interface.

Nothing is copied here.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.dlpack import CPU, CUDA, MANAGED, PINNED, VERSION, read_capsule
from posegen_runtime.arrays.view import View
from posegen_runtime.backends.base import one_line
from posegen_runtime.errors import PoseGenError

LEGACY = 1
"""The default stream of CUDA, as both protocols name it."""
Host = npt.NDArray[Any]


def read_array(name: str, value: object, stream: int | None = None) -> Host | DeviceArray | None:
    """The array that `value` is, in place; None for what is none.

    What lies on a GPU is ready for `stream`, without one for `DeviceArray.stream`. Raises
    `PoseGenError` where the array's library refuses to give it.
    """
    if isinstance(value, (np.ndarray, DeviceArray)):
        return value
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _placed(name, _dlpack(name, value, stream))
    interface = getattr(value, "__cuda_array_interface__", None)
    if interface is not None:
        return _placed(name, _cuda_array(name, interface, value))
    try:
        return np.asarray(memoryview(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def taken(name: str, value: object, stream: int | None = None) -> Any:
    """`read_array`, or the value itself where it is no array."""
    array = None if value is None else read_array(name, value, stream)
    return value if array is None else array


def _placed(name: str, view: View) -> Host | DeviceArray:
    if view.gpu is None:
        return view.on_host()
    if not view.contiguous:
        raise PoseGenError(f"{name}: not contiguous; an array on a GPU must be")
    return DeviceArray(view)


def _dlpack(name: str, value: Any, stream: int | None) -> View:
    try:
        kind, _ = value.__dlpack_device__()
        asked: dict[str, Any] = {}
        if kind in (CUDA, MANAGED):
            asked = {"stream": LEGACY if stream is None else stream}
        elif kind not in (CPU, PINNED):
            raise BufferError(f"DLPack device {int(kind)} is neither a CPU nor CUDA")
        try:
            capsule = value.__dlpack__(**asked, max_version=VERSION, copy=False)
        except TypeError:  # from before DLPack had versions
            capsule = value.__dlpack__(**asked)
        view = read_capsule(capsule)
    except Exception as error:  # each library has its own
        kind_of = type(value).__name__
        raise PoseGenError(f"{name}: {kind_of} cannot be taken ({one_line(error)})") from error
    if view.gpu is None:
        return view
    # It waits on that stream, so that is where it is ready.
    return View(**{**vars(view), "stream": asked["stream"]})


def _cuda_array(name: str, interface: Any, owner: object) -> View:
    try:
        view = _described(interface, owner)
        _ = view.contiguous  # which strides of another length than the shape's have no answer to
    except PoseGenError as error:
        raise PoseGenError(f"{name}: {error}") from error
    except Exception as error:  # a dictionary that breaks the protocol, in any way
        why = f"{type(owner).__name__} cannot be taken ({one_line(error)})"
        raise PoseGenError(f"{name}: {why}: its __cuda_array_interface__ is wrong") from error
    return view


def _described(interface: dict[str, Any], owner: object) -> View:
    """CUDA's array interface, version 2 or 3. It does not name the GPU."""
    from posegen_runtime.backends.device.driver import open_driver

    address, read_only = interface["data"]
    if interface.get("mask") is not None:
        raise PoseGenError("has a mask of valid elements; give an array without")
    stream = interface.get("stream")
    strides = interface.get("strides")
    return View(
        address=int(address or 0),
        shape=tuple(interface["shape"]),
        strides=None if strides is None else tuple(strides),
        dtype=np.dtype(interface["typestr"]),
        read_only=bool(read_only),
        owner=owner,
        gpu=open_driver().gpu_of(int(address)) if address else 0,
        stream=None if stream is None else int(stream),
    )


def stream_handle(stream: object) -> int | None:
    """The CUstream behind a number or a stream of cuda-core, PyTorch, CuPy or PyCUDA."""
    if stream is None:
        return None
    handle: Any = None
    if isinstance(stream, int) and not isinstance(stream, bool):
        handle = stream
    elif hasattr(stream, "__cuda_stream__"):
        handle = stream.__cuda_stream__()[1]
    else:
        for name in ("cuda_stream", "ptr", "handle"):
            handle = getattr(stream, name, handle)
    try:
        number = int(handle)
    except (TypeError, ValueError) as error:
        kind = type(stream).__name__
        raise PoseGenError(f"stream: {kind}; must be a CUDA stream or its handle") from error
    if number < 0:
        raise PoseGenError(f"stream: {number}; must be the handle of a CUDA stream")
    return number or LEGACY
