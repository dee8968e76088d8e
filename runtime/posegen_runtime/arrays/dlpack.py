"""DLPack in both directions, by the structures of its C header.

NumPy reads and writes it for the host's memory only, and what it reads from older producers cannot
be written to; so both go through here. https://dmlc.github.io/dlpack/latest/c_api.html
"""

import ctypes
from typing import Any

import numpy as np

from posegen_runtime.arrays.view import View, packed

CPU, CUDA, PINNED, MANAGED = 1, 2, 3, 13
"""Kinds of device: kDLCPU, kDLCUDA, kDLCUDAHost, kDLCUDAManaged."""
KINDS = {0: "i", 1: "u", 2: "f", 6: "b"}
"""NumPy's letters for DLPack's codes of types."""
READ_ONLY, COPIED = 1, 2
"""Flags of a versioned tensor."""
NAME, VERSIONED_NAME = b"dltensor", b"dltensor_versioned"
VERSION = (1, 0)


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    _fields_ = (
        ("tensor", _Tensor),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    )


class _Versioned(ctypes.Structure):
    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


_api = ctypes.pythonapi
_is_valid = _api.PyCapsule_IsValid
_is_valid.argtypes, _is_valid.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_int
_pointer = _api.PyCapsule_GetPointer
_pointer.argtypes, _pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p
# The same two for a capsule that is about to go: it has no references, and must get none.
_is_valid_raw = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_IsValid", _api)
)
_pointer_raw = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", _api)
)
_new = _api.PyCapsule_New
_new.argtypes, _new.restype = (
    (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p),
    ctypes.py_object,
)


def read_capsule(capsule: object) -> View:
    """What a capsule of `__dlpack__` describes. It is borrowed: the producer's memory is freed with
    the capsule, which the view keeps.

    Raises `ValueError` on a type that NumPy does not have, `BufferError` on another device than
    the host's memory and CUDA's.
    """
    flags = 0
    if _is_valid(capsule, VERSIONED_NAME):
        versioned = _Versioned.from_address(_pointer(capsule, VERSIONED_NAME))
        if versioned.major > VERSION[0]:
            raise BufferError(f"DLPack {versioned.major}.{versioned.minor} is too new")
        tensor, flags = versioned.tensor, versioned.flags
    else:
        tensor = _Managed.from_address(_pointer(capsule, NAME)).tensor
    if tensor.code not in KINDS or tensor.bits % 8 or tensor.lanes != 1:
        raise ValueError(f"type {tensor.code} of {tensor.bits} bits × {tensor.lanes}")
    if tensor.device_type not in (CPU, PINNED, CUDA, MANAGED):
        raise BufferError(f"DLPack device {tensor.device_type} is neither a CPU nor CUDA")
    dtype = np.dtype(f"{KINDS[tensor.code]}{tensor.bits // 8}")
    shape = tuple(tensor.shape[: tensor.ndim]) if tensor.ndim else ()
    strides = None
    if tensor.strides and tensor.ndim:
        strides = tuple(each * dtype.itemsize for each in tensor.strides[: tensor.ndim])
    return View(
        address=(tensor.data or 0) + tensor.byte_offset,
        shape=shape,
        strides=strides,
        dtype=dtype,
        read_only=bool(flags & (READ_ONLY | COPIED)),
        owner=capsule,
        gpu=tensor.device_id if tensor.device_type in (CUDA, MANAGED) else None,
    )


_given: dict[int, tuple[Any, ...]] = {}
"""What capsules that were given away need, by the address of their structure, until it is
deleted."""


def write_capsule(view: View, versioned: bool) -> Any:
    """A capsule of C-contiguous memory, which lives as long as the consumer wants it."""
    ndim = len(view.shape)
    steps = tuple(
        stride // view.dtype.itemsize for stride in packed(view.shape, view.dtype.itemsize)
    )
    shape, strides = (ctypes.c_int64 * ndim)(*view.shape), (ctypes.c_int64 * ndim)(*steps)
    managed: Any = _Versioned() if versioned else _Managed()
    tensor = managed.tensor
    tensor.data = view.address
    tensor.device_type = CPU if view.gpu is None else CUDA
    tensor.device_id = view.gpu or 0
    tensor.ndim = ndim
    tensor.code = next(code for code, kind in KINDS.items() if kind == view.dtype.kind)
    tensor.bits, tensor.lanes = 8 * view.dtype.itemsize, 1
    tensor.shape = ctypes.cast(shape, ctypes.POINTER(ctypes.c_int64))
    tensor.strides = ctypes.cast(strides, ctypes.POINTER(ctypes.c_int64))
    managed.deleter = ctypes.cast(_delete, ctypes.c_void_p)
    if versioned:
        managed.major, managed.minor = VERSION
        managed.flags = READ_ONLY if view.read_only else 0
    address = ctypes.addressof(managed)
    _given[address] = (managed, shape, strides, view)
    name = VERSIONED_NAME if versioned else NAME
    return _new(address, name, ctypes.cast(_destroy, ctypes.c_void_p))


@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def _delete(address: int) -> None:
    _given.pop(address, None)


@ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
def _destroy(capsule: int) -> None:
    """A consumer renames the capsule and deletes the structure itself; here nobody did."""
    for name in (NAME, VERSIONED_NAME):
        if _is_valid_raw(capsule, name):
            _delete(_pointer_raw(capsule, name))
