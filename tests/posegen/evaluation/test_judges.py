import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from posegen.evaluation.judges import open_judges
from posegen_runtime.errors import PoseGenError

SIZE = 32


def write_judge(root: Path, kind: str) -> Path:
    """A segmenter that finds what is red; a judge of headings that says 90° of everything."""
    source = "mask" if kind == "outline" else "image"
    pixels = ["N", SIZE, SIZE] if kind == "outline" else ["N", SIZE, SIZE, 3]
    if kind == "segmenter":
        nodes = [helper.make_node("Gather", ["image", "red"], ["mask"], axis=3)]
        constants = [numpy_helper.from_array(np.array(0), "red")]
        output = helper.make_tensor_value_info("mask", TensorProto.UINT8, ["N", SIZE, SIZE])
    else:
        nodes = [
            helper.make_node("Shape", [source], ["n"], start=0, end=1),
            helper.make_node("Concat", ["n", "two"], ["shape"], axis=0),
            helper.make_node("Expand", ["left", "shape"], ["heading"]),
        ]
        constants = [
            numpy_helper.from_array(np.array([2]), "two"),
            numpy_helper.from_array(np.array([[0, 1]], np.float32), "left"),
        ]
        output = helper.make_tensor_value_info("heading", TensorProto.FLOAT, ["N", 2])
    given = helper.make_tensor_value_info(source, TensorProto.UINT8, pixels)
    graph = helper.make_graph(nodes, kind, [given], [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    root.mkdir(parents=True)
    onnx.save(model, root / "model.onnx")
    digest = hashlib.sha256((root / "model.onnx").read_bytes()).hexdigest()
    manifest = {
        "schema": 1,
        "kind": kind,
        "image_size": SIZE,
        "file": "model.onnx",
        "sha256": digest,
        "figures": {},
    }
    (root / "judge.json").write_text(json.dumps(manifest))
    return root


def test_each_judge_is_found_by_its_folder(tmp_path: Path) -> None:
    for kind in ("segmenter", "heading", "outline"):
        write_judge(tmp_path / kind, kind)
    judges = open_judges(tmp_path)
    images = np.zeros((2, 64, 64, 3), np.uint8)
    images[1, :, :32, 0] = 255
    assert judges.segmenter is not None
    assert judges.heading is not None
    assert judges.outline is not None
    masks = judges.segmenter.masks(images)
    assert masks.shape == (2, SIZE, SIZE)
    assert masks.mean(axis=(1, 2)).tolist() == [0, 127.5]
    np.testing.assert_allclose(judges.heading.angles(images), np.pi / 2)
    np.testing.assert_allclose(judges.outline.angles(images[..., 0]), np.pi / 2)


def test_one_that_is_missing_is_none(tmp_path: Path) -> None:
    write_judge(tmp_path / "segmenter", "segmenter")
    judges = open_judges(tmp_path)
    assert judges.segmenter is not None
    assert judges.heading is judges.outline is None


def test_a_folder_without_judges(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="no judges there; name a folder with segmenter/"):
        open_judges(tmp_path)


def test_a_damaged_judge(tmp_path: Path) -> None:
    (write_judge(tmp_path / "segmenter", "segmenter") / "model.onnx").write_bytes(b"other")
    with pytest.raises(PoseGenError, match="sha256 differs"):
        open_judges(tmp_path)
