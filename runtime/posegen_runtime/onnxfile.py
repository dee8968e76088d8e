"""What an ONNX file says about itself, read before any engine opens it.

The file is walked as a protobuf message, field by field, without the onnx package: the names, types
and shapes of what the graph takes and returns, and every file that it would have an engine load.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import read_bytes

DTYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16"}
MAX_DEPTH = 32
"""Messages inside messages; a graph inside a graph inside a graph takes some twenty."""
MAX_FIELDS = 5_000_000
"""A file of nothing but tiny fields would take hours."""


class Tensor(NamedTuple):
    """Type and shape of an input or output; a dimension is None where it is left open."""

    dtype: str
    shape: tuple[int | None, ...]


class OnnxFile(NamedTuple):
    """The interface of a graph, and the files that it names ("external data")."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    external: set[str]


# Numbers of the fields, from onnx.proto. Those that lead to a tensor, by message: field → message.
_LEADS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}  # fmt: skip
_MODEL_GRAPH, _INPUTS, _OUTPUTS = 7, 11, 12
_INITIALIZERS, _TENSOR_NAME = 5, 8
_EXTERNAL_DATA = 13
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Value = int | memoryview


class _Damaged(Exception):
    """The bytes are no protobuf message."""


def read_onnx(path: Path) -> OnnxFile:
    """Raises `PoseGenError` naming the file when it cannot be read or is no ONNX model."""
    data = memoryview(read_bytes(path))
    walk = _Walk()
    try:
        graphs = [body for number, body in walk.messages(data) if number == _MODEL_GRAPH]
        if len(graphs) != 1:
            raise _Damaged
        given = {_text(name) for name in walk.inside(graphs[0], _INITIALIZERS, _TENSOR_NAME)}
        inputs = dict(walk.tensor(body) for body in walk.inside(graphs[0], _INPUTS))
        return OnnxFile(
            inputs={name: tensor for name, tensor in inputs.items() if name not in given},
            outputs=dict(walk.tensor(body) for body in walk.inside(graphs[0], _OUTPUTS)),
            external=set(walk.external("model", data, 0)),
        )
    except (_Damaged, IndexError) as error:
        raise PoseGenError(f"{path}: is no ONNX model; copy or export it again") from error


class _Walk:
    """Through the fields of messages, up to `MAX_FIELDS` of them."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def fields(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        """Number and value of each field: a number, or the bytes of a text or message."""
        at = 0
        while at < len(message):
            self._left -= 1
            if self._left < 0:
                raise _Damaged
            key = message[at]
            at += 1
            if key > 0x7F:  # numbers of one byte, nearly all, are not worth a call
                key, at = _varint(message, at - 1)
            kind = key & 7
            if kind == _VARINT:
                value, at = _varint(message, at)
                yield key >> 3, value
                continue
            if kind == _BYTES:
                length = message[at]
                at += 1
                if length > 0x7F:
                    length, at = _varint(message, at - 1)
            elif kind in (_FIXED32, _FIXED64):
                length = 4 if kind == _FIXED32 else 8
            else:
                raise _Damaged
            if length > len(message) - at:
                raise _Damaged
            if kind == _BYTES:
                yield key >> 3, message[at : at + length]
            at += length

    def messages(self, message: memoryview) -> Iterator[tuple[int, memoryview]]:
        for number, value in self.fields(message):
            if isinstance(value, memoryview):
                yield number, value

    def inside(self, message: memoryview, *path: int) -> Iterator[memoryview]:
        """Every message or text that is reached through the fields of `path`."""
        for number, value in self.messages(message):
            if number == path[0]:
                yield from self.inside(value, *path[1:]) if path[1:] else (value,)

    def external(self, kind: str, message: memoryview, depth: int) -> Iterator[str]:
        """Locations of external data in all tensors below a message, whatever way leads there."""
        if depth > MAX_DEPTH:
            raise _Damaged
        leads = _LEADS[kind]
        for number, value in self.fields(message):
            if isinstance(value, int):
                continue
            if kind == "tensor" and number == _EXTERNAL_DATA:
                pair = list(self.messages(value))
                if any(field == 1 and _text(text) == "location" for field, text in pair):
                    yield from (_text(text) for field, text in pair if field == 2)
            elif number in leads:
                yield from self.external(leads[number], value, depth + 1)

    def tensor(self, value_info: memoryview) -> tuple[str, Tensor]:
        """Name, type and shape of a ValueInfoProto."""
        names = [_text(name) for name in self.inside(value_info, 1)]
        types = list(self.inside(value_info, 2, 1))
        if len(names) != 1 or len(types) != 1:
            raise _Damaged
        dtype, shape = "none", []
        for number, value in self.fields(types[0]):
            if number == 1 and isinstance(value, int):
                dtype = DTYPES.get(value, f"ONNX type {value}")
        for dimension in self.inside(types[0], 2, 1):
            sizes = [n for field, n in self.fields(dimension) if field == 1 and isinstance(n, int)]
            shape.append(sizes[-1] if sizes else None)
        return names[0], Tensor(dtype, tuple(shape))


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and where the next thing starts."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise _Damaged


def _text(data: memoryview) -> str:
    return bytes(data).decode("utf-8", "backslashreplace")
