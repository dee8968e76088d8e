"""TensorRT-RTX takes and builds every graph, strongly typed, on a machine without a GPU.

It cannot run them there: this shows that the types and operators are TensorRT's, not the images.
"""

import platform
import sys

import pytest

from posegen_runtime.bundle import Bundle
from posegen_runtime.engines import BuildOptions, Profile, ensure_engine

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
OPTIONS = BuildOptions(flavor="rtx", profile=Profile(1, 3, 5))


@pytest.mark.parametrize(("arch", "variant"), MODELS)
def test_every_graph_builds(exported_bundle, arch, variant, tmp_path, monkeypatch):
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path))
    bundle = Bundle.load(exported_bundle(arch, variant))
    for precision in bundle.manifest.precisions:
        for graph in precision.graphs:
            for shared in (False, True) if graph == "generator_cached" else (False,):
                file = ensure_engine(
                    bundle, precision.precision, graph, OPTIONS, shared=shared, tell=print
                )
                assert file.sidecar.bytes > 10_000
                assert sum(file.sidecar.network_layers.values()) > 0
