"""TensorRT-RTX parses and builds the INT8 graphs of both architectures, strongly typed."""

import platform
import shutil
import sys

import onnx
import pytest

from posegen_runtime.bundle import Bundle

if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    pytest.skip("the test extra brings tensorrt-rtx on x86-64 Linux", allow_module_level=True)

import tensorrt_rtx as trt

MAX_BATCH = 5
MODELS = [
    ("spatial", "pose-appearance-background+viewpoint"),
    ("bottleneck", "pose"),
    pytest.param("bottleneck", "pose-appearance-background", marks=pytest.mark.slow),
    pytest.param("spatial", "pose", marks=pytest.mark.slow),
]


def build(file, specs, shared):
    """(errors, network, serialized engine)."""
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, trt.Logger(trt.Logger.INTERNAL_ERROR))
    if not parser.parse_from_file(str(file)):
        return [str(parser.get_error(i)) for i in range(parser.num_errors)], network, None
    config = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    for i in range(network.num_inputs):
        tensor = network.get_input(i)
        rows = (1, 1, 1) if shared and specs[i].shape[0] == "C" else (1, 3, MAX_BATCH)
        profile.set_shape(tensor.name, *((n, *tuple(tensor.shape)[1:]) for n in rows))
    config.add_optimization_profile(profile)
    return [], network, builder.build_serialized_network(network, config)


@pytest.mark.parametrize(("arch", "variant"), MODELS)
def test_every_int8_graph_builds(int8_bundle, tmp_path, arch, variant):
    root = tmp_path / "bundle"
    shutil.copytree(int8_bundle(arch, variant), root)
    bundle = Bundle.load(root)
    for name, graph in bundle.precision("int8").graphs.items():
        if name == "conditions":
            continue
        for shared in (False, True) if name == "generator_cached" else (False,):
            errors, network, engine = build(bundle.path(graph.path), graph.inputs, shared)
            assert not errors
            assert engine is not None, name
            layers = [network.get_layer(i).type for i in range(network.num_layers)]
            assert layers.count(trt.LayerType.QUANTIZE) > 0
            assert layers.count(trt.LayerType.DEQUANTIZE) > layers.count(trt.LayerType.QUANTIZE)
    file = bundle.path(bundle.precision("int8").graphs["generator"].path)
    shifted = tmp_path / "bundle/int8/shifted.onnx"
    plant_zero_point(file, shifted)
    specs = bundle.precision("int8").graphs["generator"].inputs
    errors, _, engine = build(shifted, specs, False)
    assert errors or engine is None, "a zero point other than 0 must be refused"


def plant_zero_point(file, target):
    """The fault that the quantiser must never make: activations that are not symmetric."""
    model = onnx.load(file)
    (zero,) = (t for t in model.graph.initializer if t.name == "int8_zero")
    zero.raw_data = b"\x05"
    onnx.save(model, target)
