"""Engines are built once, found again, and built anew when anything that they depend on differs."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from posegen_runtime.bundle import Bundle
from posegen_runtime.engines import BuildOptions, EngineFile, Profile, ensure_engine, record_parity
from posegen_runtime.errors import PoseGenError
from tiny_bundle import write_tiny_bundle
from typed_graphs import write_typed_bundle

Pretend = Callable[[str, tuple[int, int] | None], None]


class Builder:
    """Asks for engines of one bundle and keeps what it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []

    def __call__(
        self, precision: str = "fp32", graph: str = "generator", **options: object
    ) -> EngineFile:
        self.said = []
        shared = bool(options.pop("shared", False))
        return ensure_engine(
            Bundle.load(self.root),
            precision,
            graph,
            BuildOptions(**options),  # type: ignore[arg-type]
            shared=shared,
            tell=self.said.append,
        )

    @property
    def built(self) -> bool:
        return any(line.startswith("building") for line in self.said)


@pytest.fixture
def ensure(tmp_path: Path) -> Builder:
    return Builder(write_tiny_bundle(tmp_path / "tiny", viewpoint=True))


@pytest.fixture
def typed(tmp_path: Path) -> Callable[..., Builder]:
    return lambda **kinds: Builder(write_typed_bundle(tmp_path / "typed", **kinds))


def test_an_engine_is_built_once_and_described(ensure: Builder, cache: Path) -> None:
    first = ensure()
    assert ensure.said == [
        f"building generator fp32, batches 1..4..4, with tensorrt_rtx {version_of(first)}"
    ]
    assert first.path.parent == cache
    sidecar = json.loads(first.path.with_suffix(".json").read_text())
    assert sidecar["bytes"] == first.path.stat().st_size > 1000
    assert sidecar["network_layers"] == {"float32": 1}
    assert sidecar["identity"]["profile"] == {"min_batch": 1, "opt_batch": 4, "max_batch": 4}
    second = ensure()
    assert ensure.said == []
    assert second == first
    assert {file.suffix for file in cache.iterdir()} == {".engine", ".json", ".lock"}


def version_of(file: EngineFile) -> str:
    return ".".join(map(str, file.sidecar.identity.version))


def test_every_graph_has_its_own_engine(ensure: Builder) -> None:
    files = [
        ensure("fp32", "generator"),
        ensure("fp32", "conditions"),
        ensure("fp32", "generator_cached"),
        ensure("fp32", "generator_cached", shared=True),
    ]
    assert len({file.path for file in files}) == 4


def test_a_truncated_engine_is_built_again(ensure: Builder) -> None:
    file = ensure()
    whole = file.path.read_bytes()
    file.path.write_bytes(whole[:100])
    again = ensure()
    assert f"{file.path}: has 100 bytes instead of {len(whole)}; building it again" in ensure.said
    assert again.path.stat().st_size == again.sidecar.bytes
    ensure()
    assert not ensure.built


def test_an_engine_swapped_for_another_is_built_again(ensure: Builder) -> None:
    file, other = ensure(), ensure("fp32", "conditions")
    data = other.path.read_bytes().ljust(file.sidecar.bytes, b"\0")[: file.sidecar.bytes]
    file.path.write_bytes(data)
    ensure()
    assert "is not the engine that was built" in ensure.said[0]
    assert ensure.built


@pytest.mark.parametrize("broken", ["", "{", '{"schema": 1}'])
def test_a_sidecar_that_says_nothing_does_not_count(ensure: Builder, broken: str) -> None:
    file = ensure()
    file.path.with_suffix(".json").write_text(broken)
    ensure()
    assert ensure.built
    ensure()
    assert not ensure.built


def test_a_renamed_engine_is_known_by_what_it_is(ensure: Builder) -> None:
    """A sidecar of another graph under this graph's key must not be believed."""
    file, other = ensure(), ensure("fp32", "conditions")
    for suffix in (".json", ".engine"):
        shutil.copy(other.path.with_suffix(suffix), file.path.with_suffix(suffix))
    again = ensure()
    assert ensure.built
    assert again.sidecar.identity.graph == "generator"


def test_an_engine_of_another_model_is_not_used(ensure: Builder) -> None:
    ensure()
    shutil.rmtree(ensure.root)
    write_tiny_bundle(ensure.root, "pose-appearance", viewpoint=True)
    ensure()
    assert "is of another model" in ensure.said[0]
    assert ensure.built


def test_an_engine_of_another_version_is_not_used(ensure: Builder, native: Pretend) -> None:
    native("10.3.0", (8, 7))
    ensure(flavor="tensorrt")
    native("10.4.0", (8, 7))
    ensure(flavor="tensorrt")
    assert "is of version 10.3.0, not 10.4.0; building another" in ensure.said[0]
    assert ensure.built


def test_a_version_compatible_engine_serves_later_versions(
    ensure: Builder, native: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    native("10.3.0", (8, 7))
    monkeypatch.setattr("posegen_runtime.engines.build._configure", lambda *_: None)
    first = ensure(flavor="tensorrt", version_compatible=True)
    native("10.9.0", (8, 7))
    assert ensure(flavor="tensorrt") == first
    native("11.0.0", (8, 7))
    ensure(flavor="tensorrt")
    assert "is of version 10.3.0, not 11.0.0" in ensure.said[0]


def test_an_engine_of_another_gpu_is_not_used(ensure: Builder, native: Pretend) -> None:
    native("10.3.0", (8, 7))
    ensure(flavor="tensorrt")
    native("10.3.0", (9, 0))
    ensure(flavor="tensorrt")
    assert "is of compute capability 8.7, not 9.0; building another" in ensure.said[0]
    assert ensure.built


def test_an_engine_of_another_platform_is_not_used(
    ensure: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One home folder, an x86 server and an ARM one, the same GPU in both."""
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    ensure()
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    ensure()
    assert "is of platform linux-aarch64, not linux-x86_64; building another" in ensure.said[0]
    assert ensure.built


def test_a_hardware_compatible_engine_serves_other_gpus(ensure: Builder, native: Pretend) -> None:
    native("10.3.0", (8, 7))
    first = ensure(flavor="tensorrt", hardware_compatible=True)
    native("10.3.0", (9, 0))
    assert ensure(flavor="tensorrt") == first
    native("10.3.0", (7, 5))
    ensure(flavor="tensorrt")
    assert ensure.built


def test_tensorrt_needs_the_gpu_that_it_builds_for(ensure: Builder, native: Pretend) -> None:
    native("10.3.0", None)
    with pytest.raises(PoseGenError, match=r"tensorrt 10\.3\.0 builds on the GPU"):
        ensure(flavor="tensorrt")


def test_other_batches_are_another_engine_and_any_will_do_unasked(ensure: Builder) -> None:
    small = ensure(profile=Profile(1, 2, 2))
    assert ensure() == small
    large = ensure(profile=Profile(1, 4, 4))
    assert "is of batches 1..2..2, not 1..4..4" in ensure.said[0]
    assert large.path != small.path


def test_rtx_builds_for_the_gpu_that_is_named(ensure: Builder) -> None:
    portable, named = ensure(), ensure(compute_capability=(12, 0))
    assert "is of compute capability 8.0 and later, not 12.0" in ensure.said[0]
    assert portable.sidecar.sha256 != named.sidecar.sha256
    with pytest.raises(PoseGenError, match=r"--compute-capability 9\.9: .* builds for 7\.5, 8\.0"):
        ensure(compute_capability=(9, 9))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timing_cache", Path("times")),
        ("version_compatible", True),
        ("hardware_compatible", True),
    ],
)
def test_rtx_refuses_what_it_lacks_by_name(ensure: Builder, option: str, value: object) -> None:
    name = f"--{option.replace('_', '-')}"
    with pytest.raises(PoseGenError, match=f"^{name}: tensorrt_rtx .* does not take it, since"):
        ensure(**{option: value})


@pytest.mark.filterwarnings("ignore:.*Timing cache operations are no-ops")
def test_a_timing_cache_is_written_and_read(
    ensure: Builder, native: Pretend, tmp_path: Path
) -> None:
    """What is in it only a GPU shows."""
    native("10.3.0", (8, 7))
    times = tmp_path / "times"
    ensure(flavor="tensorrt", timing_cache=times)
    assert times.is_file()
    ensure("fp32", "conditions", flavor="tensorrt", timing_cache=times)
    assert ensure.built


def test_a_timing_cache_that_cannot_be_written_is_refused_before_the_build(
    ensure: Builder, native: Pretend, tmp_path: Path
) -> None:
    native("10.3.0", (8, 7))
    with pytest.raises(PoseGenError, match=r"^--timing-cache .*: no such folder"):
        ensure(flavor="tensorrt", timing_cache=tmp_path / "missing" / "times")
    assert not ensure.built


def test_tensorrt_refuses_what_it_lacks_by_name(ensure: Builder, native: Pretend) -> None:
    native("10.3.0", (8, 7))
    with pytest.raises(PoseGenError, match=r"^--compute-capability: tensorrt 10\.3\.0 does not"):
        ensure(flavor="tensorrt", compute_capability=(8, 7))


@pytest.mark.parametrize("profile", [Profile(2, 1, 4), Profile(1, 5, 4), Profile(1, 1, 5)])
def test_batches_that_cannot_be_are_refused(ensure: Builder, profile: Profile) -> None:
    with pytest.raises(PoseGenError, match="batch"):
        ensure(profile=profile)


def test_every_precision_is_built_as_it_is_asked_for(typed: Callable[..., Builder]) -> None:
    ensure = typed(fp16="fp16", int8="int8")
    assert ensure("fp16").sidecar.network_layers == {"float16": 1}
    assert ensure("int8").sidecar.network_layers == {"int8": 1}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("fp32", "fp16 was asked for, but the graph has 1 layer in float32"),
        ("mixed", "does not take this graph .*must have same input types.*at Add adds"),
        ("unknown", "does not take this graph .*at Frobnicate frob"),
        ("future", "is of opset 99, TensorRT reads 20 and older"),
    ],
)
def test_a_graph_that_will_not_do_is_refused_with_the_reason(
    typed: Callable[..., Builder], cache: Path, kind: str, reason: str
) -> None:
    ensure = typed(fp16=kind)
    with pytest.raises(PoseGenError, match=rf"fp16/generator\.onnx: .*{reason}"):
        ensure("fp16")
    assert not list(cache.glob("*.*n*"))  # neither engine nor sidecar


def test_inputs_that_the_bundle_does_not_record_are_refused(ensure: Builder) -> None:
    file = ensure.root / "bundle.json"
    manifest = json.loads(file.read_text())
    manifest["precisions"][0]["graphs"]["generator"]["inputs"][0]["dtype"] = "float32"
    file.write_text(json.dumps(manifest))
    with pytest.raises(PoseGenError, match=r"takes mask float32.*is given mask uint8"):
        ensure()


def test_a_build_that_fails_says_why(ensure: Builder) -> None:
    with pytest.raises(PoseGenError, match=r"cannot build an engine for .*workspace limit"):
        ensure(workspace=1)


def test_figures_are_kept_with_the_engine(ensure: Builder) -> None:
    file = record_parity(ensure(), {"generator": {"psnr": 50.0}})
    assert file.sidecar.parity == {"generator": {"psnr": 50.0}}
    assert ensure() == file


def test_a_cache_that_cannot_be_made_names_the_variable(
    ensure: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(PoseGenError, match="name another folder in POSEGEN_CACHE"):
        ensure()


def test_a_cache_that_cannot_be_written_names_the_variable(ensure: Builder) -> None:
    file = ensure()
    lock = file.path.with_name(f".{file.path.stem}.lock")
    file.path.unlink()
    lock.unlink(missing_ok=True)
    lock.mkdir()  # as good as a folder of somebody else, also for root
    with pytest.raises(PoseGenError, match=r"cannot be written .*another folder in POSEGEN_CACHE"):
        ensure()


def test_nobody_has_a_home(ensure: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as a user that it does not know."""

    def nowhere(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("POSEGEN_CACHE")
    monkeypatch.setattr(Path, "expanduser", nowhere)
    with pytest.raises(PoseGenError, match="name another folder in POSEGEN_CACHE"):
        ensure()


def test_two_processes_build_one_engine(ensure: Builder, cache: Path) -> None:
    code = (
        "import sys; from posegen_runtime.bundle import Bundle; "
        "from posegen_runtime.engines import BuildOptions, ensure_engine; "
        "bundle = Bundle.load(sys.argv[1]); "
        "ensure_engine(bundle, 'fp32', 'generator', BuildOptions(), tell=print)"
    )
    command = [sys.executable, "-c", code, str(ensure.root)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = "".join(process.communicate()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert said.count("building generator") == 1
    assert len(list(cache.glob("*.engine"))) == 1
    ensure()
    assert not ensure.built
