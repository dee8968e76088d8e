"""TensorRT-RTX takes and builds every graph, strongly typed, on a machine without a GPU.

It cannot run them there: this shows that the types and operators are TensorRT's, not the images.
"""

import platform
import shutil
import sys

import pytest

from posegen_calibration.layers import find_layers
from posegen_export import int8_graphs
from posegen_export.export import load_source
from posegen_export.graphs import write_graphs
from posegen_runtime.bundle import MANIFEST, Bundle
from posegen_runtime.engines import BuildOptions, Profile, ensure_engine
from posegen_runtime.manifest import Precision

if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    pytest.skip("the test extra brings tensorrt-rtx on x86-64 Linux", allow_module_level=True)

FULL = "pose-appearance-background"
slow = pytest.mark.slow
MODELS = [
    ("spatial", f"{FULL}+viewpoint"),
    pytest.param("spatial", FULL, marks=slow),
    pytest.param("spatial", "pose-appearance", marks=slow),
    pytest.param("spatial", "pose", marks=slow),
    ("bottleneck", "pose"),
    pytest.param("bottleneck", "pose-appearance", marks=slow),
    pytest.param("bottleneck", FULL, marks=slow),
]
RANGE = 4.0
"""Of every activation: types do not depend on it."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "cache"))


def builds(bundle, precision, graph, shared=False):
    """Whether it is built, for a dynamic batch; returns what it computes in."""
    options = BuildOptions(flavor="rtx", profile=Profile(1, 3, 5))
    file = ensure_engine(bundle, precision, graph, options, shared=shared, tell=print)
    assert file.sidecar.bytes > 10_000
    return file.sidecar.network_layers


@pytest.mark.parametrize(("arch", "variant"), MODELS)
def test_every_graph_builds(exported_bundle, arch, variant):
    bundle = Bundle.load(exported_bundle(arch, variant))
    for graph in bundle.precision("fp32").graphs:
        assert set(builds(bundle, "fp32", graph)) == {"float32"}
    if bundle.conditions:
        assert set(builds(bundle, "fp32", "generator_cached", shared=True)) == {"float32"}


def add_precision(bundle, precision, graphs):
    (bundle.root / MANIFEST).unlink()
    variant = Precision(precision=precision, graphs=graphs)
    int8_graphs.add_precision(bundle, bundle.root, variant)
    return Bundle.load(bundle.root)


def add_fp16(bundle, checkpoint):
    half = load_source(checkpoint).generator.half_precision()
    return add_precision(bundle, "fp16", write_graphs(half, bundle.root, "fp16"))


def add_int8(bundle):
    """With every layer of the decoder in INT8, more than calibration would choose."""
    models = int8_graphs.load_models(bundle)
    names = {layer.name for layer in find_layers(int8_graphs.decoder(models))}
    ranges = dict.fromkeys(names, RANGE)
    graphs = int8_graphs.write_graphs(bundle, bundle.root, "fp16", names, ranges)
    return add_precision(bundle, "int8", graphs)


@slow
@pytest.mark.parametrize("variant", ["pose", "pose-appearance", FULL])
@pytest.mark.parametrize("arch", ["spatial", "bottleneck"])
def test_lower_precisions_build_as_what_they_are(
    exported_bundle, moving_checkpoint, tmp_path, arch, variant
):
    root = shutil.copytree(exported_bundle(arch, variant), tmp_path / "bundle")
    bundle = add_int8(add_fp16(Bundle.load(root), moving_checkpoint(arch, variant)))
    decodes = "generator_cached" if bundle.conditions else "generator"
    for precision, most in (("fp16", "float16"), ("int8", "int8")):
        layers = {g: builds(bundle, precision, g) for g in bundle.precision(precision).graphs}
        assert max(layers[decodes], key=layers[decodes].get) == most
