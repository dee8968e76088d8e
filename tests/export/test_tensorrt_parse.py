"""TensorRT-RTX parses and builds every graph, strongly typed, on a machine without a GPU.

It cannot run them there: this shows that the types and operators are TensorRT's, not the images.
"""

import platform
import sys

import pytest

from posegen_runtime.bundle import Bundle

if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    pytest.skip("the test extra brings tensorrt-rtx on x86-64 Linux", allow_module_level=True)

import tensorrt_rtx as trt

MODELS = [
    ("spatial", "pose-appearance-background+viewpoint"),
    pytest.param("spatial", "pose-appearance-background", marks=pytest.mark.slow),
    ("bottleneck", "pose"),
    pytest.param("bottleneck", "pose-appearance-background", marks=pytest.mark.slow),
]
MAX_BATCH = 5


def build(file, specs, shared):
    """The serialized engine; with `shared`, cached conditions stay at one row."""
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, trt.Logger(trt.Logger.ERROR))
    assert parser.parse_from_file(str(file)), [
        str(parser.get_error(i)) for i in range(parser.num_errors)
    ]
    config = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    for i in range(network.num_inputs):
        tensor = network.get_input(i)
        one_row = shared and specs[i].shape[0] == "C"
        rows = (1, 1, 1) if one_row else (1, 3, MAX_BATCH)
        profile.set_shape(tensor.name, *((n, *tuple(tensor.shape)[1:]) for n in rows))
    config.add_optimization_profile(profile)
    return network, builder.build_serialized_network(network, config)


@pytest.mark.parametrize(("arch", "variant"), MODELS)
def test_every_graph_builds(exported_bundle, arch, variant):
    bundle = Bundle.load(exported_bundle(arch, variant))
    for name, graph in bundle.precision("fp32").graphs.items():
        for shared in (False, True) if name == "generator_cached" else (False,):
            network, engine = build(bundle.path(graph.path), graph.inputs, shared)
            assert engine is not None, name
            assert engine.nbytes > 10_000
            inputs = [network.get_input(i) for i in range(network.num_inputs)]
            assert [tensor.name for tensor in inputs] == [spec.name for spec in graph.inputs]
            kinds = {"uint8": trt.DataType.UINT8, "float32": trt.DataType.FLOAT}
            assert [t.dtype for t in inputs] == [kinds[spec.dtype] for spec in graph.inputs]
