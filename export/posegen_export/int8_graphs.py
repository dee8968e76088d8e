"""The files of a bundle's INT8 variant: graphs of another precision with layers in INT8."""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec
import onnx

from posegen_calibration.layers import Layer, find_layers
from posegen_calibration.quantize import quantize
from posegen_export.bundle_writer import write_manifest
from posegen_export.graphcheck import check_graph
from posegen_export.weightfile import share_weights
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import Graph, Manifest, Precision

FP32 = "fp32"
FP16 = "fp16"
INT8 = "int8"

Models = dict[str, onnx.ModelProto]
"""Graphs by name."""


def choose_rest(bundle: Bundle, asked: str) -> str:
    """The precision of everything that is not INT8: `asked`, or for "auto" FP16 where `bundle`
    holds it, since the tensor cores of a GPU do not serve FP32 without TF32.

    Raises `PoseGenError` when the bundle lacks `asked`.
    """
    held = {precision.precision for precision in bundle.manifest.precisions}
    if asked == "auto":
        return FP16 if FP16 in held else FP32
    if asked not in held:
        raise PoseGenError(
            f"--rest {asked}: {bundle.root} does not hold {asked}; export it with "
            f"posegen-export onnx --precision fp32,{asked}, or leave --rest out"
        )
    return asked


def load_models(bundle: Bundle, precision: str = FP32) -> Models:
    """The graphs of `precision` that get an INT8 counterpart, with their weights."""
    graphs = bundle.precision(precision).graphs
    wanted = {name: graph for name, graph in graphs.items() if name != "conditions"}
    return {name: onnx.load(bundle.path(graph.path)) for name, graph in wanted.items()}


def decoder(models: Models) -> onnx.ModelProto:
    """The graph whose layers may be INT8: what encodes conditions is in none of them."""
    return models.get("generator_cached", models["generator"])


def named(model: onnx.ModelProto, names: Collection[str] | None = None) -> list[Layer]:
    """The layers of `model`, of those `names` where they are given."""
    return [layer for layer in find_layers(model) if names is None or layer.name in names]


def copy_bundle(bundle: Bundle, root: Path) -> None:
    """Every file but those of an earlier INT8 variant."""
    for name in bundle.manifest.files:
        if not name.startswith(f"{INT8}/"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.path(name), root / name)


def write_graphs(
    bundle: Bundle,
    root: Path,
    rest: str,
    quantized: Collection[str],
    ranges: Mapping[str, float],
) -> dict[str, Graph]:
    """The graphs of `rest` with the layers `quantized` in INT8, by name; ``conditions`` is that of
    `rest`. Raises `PoseGenError` when those graphs have other layers."""
    graphs = dict(bundle.precision(rest).graphs)
    made: Models = {}
    for name, model in load_models(bundle, rest).items():
        layers = named(model, quantized)
        if {layer.name for layer in layers} != set(quantized):
            raise PoseGenError(
                f"{bundle.path(graphs[name].path)}: has other layers than {FP32}; export it again"
            )
        made[name] = quantize(model, layers, ranges)
        _set_metadata(made[name])
        opset = next(entry.version for entry in model.opset_import if entry.domain == "")
        check_graph(made[name], opset, model.ir_version)
        graphs[name] = msgspec.structs.replace(graphs[name], path=f"{INT8}/{name}.onnx")
    (root / INT8).mkdir()
    if len(made) > 1:
        share_weights(list(made.values()), root / INT8)
    for name, model in made.items():
        onnx.save(model, root / graphs[name].path)
    return graphs


def _set_metadata(model: onnx.ModelProto) -> None:
    """Its own precision, and not the hash of the other's weights."""
    held = {entry.key: entry.value for entry in model.metadata_props}
    held.pop("posegen.weights_sha256", None)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {**held, "posegen.precision": INT8})


def add_precision(bundle: Bundle, root: Path, precision: Precision) -> Manifest:
    """Write ``bundle.json`` to `root`: that of `bundle` with `precision`, which replaces an earlier
    one of that name."""
    fields = msgspec.structs.asdict(bundle.manifest)
    fields.pop("files")
    others = [p for p in bundle.manifest.precisions if p.precision != precision.precision]
    return write_manifest(root, {**fields, "precisions": [*others, precision]})
