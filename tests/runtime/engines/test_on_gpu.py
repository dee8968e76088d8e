"""What only a GPU shows: that an engine loads, and which precision it computes in."""

from pathlib import Path

import pytest

from posegen_runtime.bundle import Bundle
from posegen_runtime.engines import BuildOptions, Flavor, ensure_engine, find_flavor
from posegen_runtime.engines.gpu import find_gpu
from posegen_runtime.errors import PoseGenError
from typed_graphs import write_typed_bundle

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(find_gpu() is None, reason="no NVIDIA GPU"),
]
TYPES = {"fp32": "float32", "fp16": "float16", "int8": "int8"}


@pytest.fixture(params=list(Flavor), ids=lambda flavor: flavor.value)
def flavor(request: pytest.FixtureRequest) -> Flavor:
    found: Flavor = request.param
    try:
        find_flavor(found)
    except PoseGenError as error:
        pytest.skip(str(error))
    return found


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.load(write_typed_bundle(tmp_path / "bundle", fp16="fp16", int8="int8"))


@pytest.mark.parametrize("precision", list(TYPES))
def test_the_engine_computes_in_what_was_asked_for(
    bundle: Bundle, flavor: Flavor, precision: str
) -> None:
    options = BuildOptions(flavor=flavor)
    sidecar = ensure_engine(bundle, precision, "generator", options, tell=print).sidecar
    assert sidecar.gpu
    if flavor is Flavor.TENSORRT:  # RTX chooses kernels when the engine is loaded
        assert TYPES[precision] in sidecar.engine_layers


@pytest.mark.parametrize("option", ["version_compatible", "hardware_compatible"])
def test_compatible_engines_load(bundle: Bundle, flavor: Flavor, option: str) -> None:
    if flavor is Flavor.RTX:
        pytest.skip("TensorRT-RTX refuses these")
    options = BuildOptions(flavor=flavor, **{option: True})  # type: ignore[arg-type]
    assert ensure_engine(bundle, "fp16", "generator", options, tell=print).sidecar.engine_layers


def test_a_timing_cache_is_written_and_read(bundle: Bundle, flavor: Flavor, tmp_path: Path) -> None:
    if flavor is Flavor.RTX:
        pytest.skip("TensorRT-RTX refuses it")
    options = BuildOptions(flavor=flavor, timing_cache=tmp_path / "times")
    ensure_engine(bundle, "fp32", "generator", options, tell=print)
    written = (tmp_path / "times").read_bytes()
    assert written
    ensure_engine(bundle, "fp16", "generator", options, tell=print)
    assert len((tmp_path / "times").read_bytes()) >= len(written)
    (tmp_path / "times").write_bytes(b"not one")
    with pytest.raises(PoseGenError, match="--timing-cache"):
        ensure_engine(bundle, "int8", "generator", options, tell=print)
