"""A small generator without torch: three convolutions from the mask to the image."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 32
NAMES = ("first", "middle", "last")


def conv_model(loud: float = 1.0) -> onnx.ModelProto:
    """mask uint8 [N, 32, 32] → image uint8 [N, 32, 32, 3].

    `loud` multiplies one of the 16 channels that ``middle`` reads and divides its weights there:
    the images stay, but one scale for all channels then has to reach far.
    """
    generator = np.random.default_rng(0)
    shapes = {"first": (16, 1, 5, 5), "middle": (16, 16, 3, 3), "last": (3, 16, 3, 3)}
    arrays = {}
    for name, shape in shapes.items():
        weight = generator.normal(size=shape) / np.sqrt(np.prod(shape[1:]) / 4)
        arrays[f"{name}.weight"] = weight.astype(np.float32)
        arrays[f"{name}.bias"] = (0.1 * generator.normal(size=shape[0])).astype(np.float32)
    arrays["first.weight"][0] *= loud
    arrays["first.bias"][0] *= loud
    arrays["middle.weight"][:, 0] /= loud
    arrays |= {"top": np.float32(255), "one": np.array([1])}
    nodes = [
        helper.make_node("Cast", ["mask"], ["m"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["m", "top"], ["share"]),
        helper.make_node("Unsqueeze", ["share", "one"], ["p"]),
        _conv("p", "first", 2),
        helper.make_node("Relu", ["first"], ["a"]),
        _conv("a", "middle", 1),
        helper.make_node("Relu", ["middle"], ["b"]),
        _conv("b", "last", 1),
        helper.make_node("Sigmoid", ["last"], ["s"]),
        helper.make_node("Mul", ["s", "top"], ["levels"]),
        helper.make_node("Round", ["levels"], ["rounded"]),
        helper.make_node("Transpose", ["rounded"], ["rows"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["rows"], ["image"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "conv",
        [helper.make_tensor_value_info("mask", TensorProto.UINT8, ["N", SIZE, SIZE])],
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", SIZE, SIZE, 3])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


def masks(count: int, seed: int = 0) -> np.ndarray:
    """Boxes, uint8 [count, 32, 32], of 255 in the first mask and of 160 in the others: so the first
    batch alone has the largest activations."""
    generator = np.random.default_rng(seed)
    made = np.zeros((count, SIZE, SIZE), np.uint8)
    for number, mask in enumerate(made):
        x, y, width, height = (*generator.integers(0, 12, 2), *generator.integers(8, 20, 2))
        mask[y : y + height, x : x + width] = 160 if number else 255
    return made


def batches(count: int, size: int = 4, seed: int = 0) -> list[dict[str, np.ndarray]]:
    made = masks(count, seed)
    return [{"mask": made[start : start + size]} for start in range(0, count, size)]


def _conv(source: str, name: str, pad: int) -> onnx.NodeProto:
    inputs = [source, f"{name}.weight", f"{name}.bias"]
    return helper.make_node("Conv", inputs, [name], pads=[pad] * 4)
