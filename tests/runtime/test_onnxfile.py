"""The walk through an ONNX file sees what the onnx package sees, and ends on anything else."""

import random
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from posegen_runtime import onnxfile
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.onnxfile import Tensor, read_onnx


def outside(name: str, location: str) -> TensorProto:
    """A tensor whose values lie in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="offset", value="0")
    tensor.external_data.add(key="location", value=location)
    return tensor


def save(path: Path, graph: onnx.GraphProto, **model: object) -> Path:
    made = helper.make_model(graph, **model)
    path.write_bytes(made.SerializeToString())
    return path


def graph(*nodes: onnx.NodeProto, tensors: tuple[TensorProto, ...] = ()) -> onnx.GraphProto:
    inputs = [helper.make_tensor_value_info("x", TensorProto.UINT8, ["N", 3, None])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT16, [])]
    return helper.make_graph(list(nodes), "g", inputs, outputs, list(tensors))


@pytest.mark.parametrize("file", sorted(SHIPPED_BUNDLE.rglob("*.onnx")), ids=lambda f: f.stem)
def test_shipped_graphs_are_read_as_onnx_reads_them(file: Path) -> None:
    model = onnx.load(file, load_external_data=False)
    found = read_onnx(file)
    for given, tensors in ((model.graph.input, found.inputs), (model.graph.output, found.outputs)):
        assert list(tensors) == [value.name for value in given]
        for value in given:
            kind = value.type.tensor_type
            dtype = np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
            shape = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
            assert tensors[value.name] == Tensor(dtype, shape)
    assert found.external == {"weights.bin"}


def test_interface_of_a_small_graph(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.zeros(3, np.float32), "w")
    made = graph(tensors=(weights,))
    made.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [3]))
    found = read_onnx(save(tmp_path / "a.onnx", made))
    assert found.inputs == {"x": Tensor("uint8", (None, 3, None))}
    assert found.outputs == {"y": Tensor("float16", ())}
    assert not found.external


def test_external_data_is_found_wherever_a_tensor_may_be(tmp_path: Path) -> None:
    sparse = onnx.SparseTensorProto(
        values=outside("", "sparse values"), indices=outside("", "sparse indices"), dims=[9]
    )
    inner = graph(helper.make_node("Constant", [], ["a"], value=outside("", "attribute")))
    nodes = [
        helper.make_node("If", ["c"], ["d"], then_branch=inner, else_branch=graph()),
        helper.make_node("Constant", [], ["e"], sparse_value=sparse),
        helper.make_node("Any", [], ["f"], many=[outside("", "tensors"), outside("", "tensors 2")]),
        helper.make_node("Any", [], ["g"], graphs=[graph(tensors=(outside("h", "in a graph"),))]),
    ]
    whole = graph(*nodes, tensors=(outside("w", "initializer"),))
    whole.sparse_initializer.append(sparse)
    called = onnx.FunctionProto(
        name="f", domain="d", node=[helper.make_node("Constant", [], ["i"], value=outside("", "f"))]
    )
    model = helper.make_model(whole, functions=[called])
    training = model.training_info.add()
    training.algorithm.CopyFrom(graph(tensors=(outside("j", "training"),)))
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    assert read_onnx(tmp_path / "a.onnx").external == {
        "sparse values", "sparse indices", "attribute", "tensors", "tensors 2", "in a graph",
        "initializer", "f", "training",
    }  # fmt: skip


def test_a_key_that_comes_late_or_twice_is_found(tmp_path: Path) -> None:
    """The last of several values counts for a protobuf parser, so every one counts here."""
    tensor = outside("w", "first")
    pair = tensor.external_data.add(key="location", value="second")
    twice = pair.SerializeToString() + b"\x12\x05third"
    data = TensorProto(name="w").SerializeToString() + bytes((13 << 3 | 2, len(twice))) + twice
    made = graph(tensors=(tensor,)).SerializeToString()
    made += bytes((5 << 3 | 2, len(data))) + data
    body = bytearray()
    length = len(made)
    while length > 0x7F:
        body.append(length & 0x7F | 0x80)
        length >>= 7
    (tmp_path / "a.onnx").write_bytes(b"\x3a" + bytes((*body, length)) + made)
    assert read_onnx(tmp_path / "a.onnx").external == {"first", "second", "third"}


@pytest.mark.parametrize(
    "data",
    [b"", b"ORTM" * 9, b"\x08\x0a", b"\x3a\xff\xff\xff\xff\x0f", b"\x3b", b"\xff" * 20, b"\x3a"],
)
def test_what_is_no_model(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(data)
    with pytest.raises(PoseGenError, match=r"a\.onnx: is no ONNX model; copy or export it again"):
        read_onnx(tmp_path / "a.onnx")


def test_graphs_inside_graphs_without_end(tmp_path: Path) -> None:
    made = graph()
    for _ in range(15):
        made = graph(helper.make_node("If", ["c"], ["d"], then_branch=made))
    with pytest.raises(PoseGenError, match="is no ONNX model"):
        read_onnx(save(tmp_path / "a.onnx", made))


def test_a_file_of_tiny_fields_does_not_take_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.onnx").write_bytes(b"\x08\x01" * 2_000_000)
    monkeypatch.setattr(onnxfile, "MAX_FIELDS", 100_000)
    start = time.process_time()
    with pytest.raises(PoseGenError, match="is no ONNX model"):
        read_onnx(tmp_path / "a.onnx")
    assert time.process_time() - start < 2


def test_any_damage_ends_as_a_model_or_as_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    whole = (SHIPPED_BUNDLE / "fp32/conditions.onnx").read_bytes()
    rng = random.Random(0)
    refused = 0
    for _ in range(60):
        data = bytearray(whole[: rng.choice((len(whole), rng.randrange(len(whole))))])
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            read_onnx(path)
        except PoseGenError as error:
            refused += 1
            assert str(path) in str(error)  # noqa: PT017
    assert refused > 20
