"""An exported judge says what PyTorch says, and a broken graph is not let through."""

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from moving_judges import SIZE, save_moving_judge
from posegen.judges.checkpoint import load_judge as load_checkpoint
from posegen.judges.config import JudgeKind
from posegen_export import judges
from posegen_export.cli import app
from posegen_export.judges import export_judge, largest_difference, make_pictures, reference
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError
from posegen_runtime.judges import Heading, Segmenter

KINDS = list(JudgeKind)
Make = Callable[[JudgeKind], tuple[Path, Path]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """kind → (checkpoint, judge's folder); made once, not to be changed."""
    folder = tmp_path_factory.mktemp("judges")

    def make(kind: JudgeKind) -> tuple[Path, Path]:
        checkpoint, target = folder / f"{kind.value}.safetensors", folder / kind.value
        if not target.exists():
            save_moving_judge(checkpoint, kind)
            export_judge(checkpoint, target)
        return checkpoint, target

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_the_runtime_says_what_pytorch_says(kind: JudgeKind, exported: Make) -> None:
    checkpoint, folder = exported(kind)
    pictures = make_pictures(kind, SIZE, 7)
    expected = reference(load_checkpoint(checkpoint).judge, kind, pictures)
    if kind is JudgeKind.SEGMENTER:
        differ = (Segmenter(folder).masks(pictures) > 127) != (np.rint(expected) > 127)
        assert differ.mean() < 1e-3
    else:
        turned = Heading(folder).angles(pictures) - np.arctan2(expected[:, 1], expected[:, 0])
        assert np.abs(np.angle(np.exp(1j * turned))).max() < 1e-3
    record = json.loads((folder / "judge.json").read_text())
    assert record["parity"]["max_difference"] <= 1
    assert record["figures"] == {"iou": 0.5}
    assert len(record["lineage"]["checkpoint_sha256"]) == 64


def swap_channels(graph: onnx.GraphProto, cast: onnx.NodeProto) -> list[onnx.NodeProto]:
    graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0]), "planted"))
    return [helper.make_node("Gather", ["true", "planted"], [cast.output[0]], axis=3)]


def halve_levels(graph: onnx.GraphProto, cast: onnx.NodeProto) -> list[onnx.NodeProto]:
    """As if levels were divided by 255 and not by 127.5."""
    graph.initializer.append(numpy_helper.from_array(np.float32(0.5), "planted"))
    return [helper.make_node("Mul", ["true", "planted"], [cast.output[0]])]


@pytest.mark.parametrize("fault", [swap_channels, halve_levels])
@pytest.mark.parametrize("kind", [JudgeKind.SEGMENTER, JudgeKind.HEADING])
def test_a_broken_border_misses_the_gate(
    kind: JudgeKind, fault: Callable, exported: Make, tmp_path: Path
) -> None:
    checkpoint, folder = exported(kind)
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    cast = next(node for node in graph.node if node.input[0] == "image")
    graph_input = cast.output[0]
    added = fault(graph, cast)
    cast.output[0] = "true"
    assert added[-1].output[0] == graph_input
    for number, node in enumerate(added, 1):
        graph.node.insert(number, node)
    onnx.save(model, tmp_path / "broken.onnx")
    pictures = make_pictures(kind, SIZE, 64)
    expected = reference(load_checkpoint(checkpoint).judge, kind, pictures)
    bound = judges.MAX_LEVELS if kind is JudgeKind.SEGMENTER else judges.MAX_DEGREES
    assert largest_difference(folder / "model.onnx", kind, pictures, expected) <= bound
    assert largest_difference(tmp_path / "broken.onnx", kind, pictures, expected) > 2 * bound


def test_a_judge_that_always_says_the_same_is_refused(tmp_path: Path) -> None:
    checkpoint = save_moving_judge(tmp_path / "x.safetensors", JudgeKind.OUTLINE, gain=0)
    with pytest.raises(PoseGenError, match="nearly the same of every picture"):
        export_judge(checkpoint, tmp_path / "judge")
    assert not (tmp_path / "judge").exists()


def test_a_missed_gate_leaves_nothing_and_exits_1(
    exported: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, folder = exported(JudgeKind.OUTLINE)
    monkeypatch.setattr(judges, "judge_onnx", lambda _: onnx.load(folder / "model.onnx"))
    monkeypatch.setattr(judges, "MAX_DEGREES", -1.0)
    assert run_app(app, ["judge", str(checkpoint), "-o", str(tmp_path / "judge")]) == 1
    assert not (tmp_path / "judge").exists()


def test_a_folder_of_something_else_is_left_alone(exported: Make, tmp_path: Path) -> None:
    checkpoint, _ = exported(JudgeKind.OUTLINE)
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(PoseGenError, match="exists and is no judge"):
        export_judge(checkpoint, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the test extra brings tensorrt-rtx on x86-64 Linux",
)
@pytest.mark.parametrize("kind", KINDS)
def test_tensorrt_parses_the_graph(kind: JudgeKind, exported: Make) -> None:
    import tensorrt_rtx as trt

    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, trt.Logger(trt.Logger.ERROR))
    parsed = parser.parse_from_file(str(exported(kind)[1] / "model.onnx"))
    assert parsed, [str(parser.get_error(i)) for i in range(parser.num_errors)]
