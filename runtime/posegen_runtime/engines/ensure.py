"""The engine of a graph: from the cache, or built now."""

import hashlib
import platform
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from posegen_runtime.bundle import Bundle
from posegen_runtime.engines import cache
from posegen_runtime.engines.build import Job, build
from posegen_runtime.engines.cache import EngineFile
from posegen_runtime.engines.flavors import Flavor, TensorRT, find_flavor
from posegen_runtime.engines.gpu import Capability, Gpu, find_gpu
from posegen_runtime.engines.loading import load_engine
from posegen_runtime.engines.monitor import run_stoppable
from posegen_runtime.engines.options import BuildOptions, Profile
from posegen_runtime.engines.precision import Layers, engine_layers
from posegen_runtime.engines.sidecar import AMPERE, Identity, Sidecar
from posegen_runtime.errors import PoseGenError

WEIGHTS = "weights.bin"
"""What the graphs of one folder share."""


def ensure_engine(
    bundle: Bundle,
    precision: str,
    graph: str,
    options: BuildOptions,
    *,
    shared: bool = False,
    tell: Callable[[str], None],
) -> EngineFile:
    """An engine of `graph` ("generator", "conditions", "generator_cached") that runs here.

    From the cache when it is there, whole and up to date; otherwise it is built, which `tell`
    hears, and why. `shared`: the encoded conditions have one row for the whole batch. While one
    process builds, others that want the same engine wait for it.

    Raises `PoseGenError` when the bundle lacks the variant or graph, no TensorRT is installed,
    it does not take an option or the graph, or the engine would not compute in `precision`.
    """
    tensorrt = find_flavor(options.flavor)
    options.check(tensorrt, bundle.manifest.max_batch)
    gpu = find_gpu()
    wanted = _identity(bundle, precision, graph, options, shared, tensorrt, gpu)
    folder = cache.cache_folder()
    name = bundle.manifest.name
    capability = gpu.capability if gpu else None

    def find(tell: Callable[[str], None]) -> EngineFile | None:
        return cache.find(folder, name, wanted, options, capability, tell)

    found = find(tell)
    if found is not None:
        return found
    with _alone(folder / f".{wanted.key}.lock", tell):
        found = find(lambda line: None)  # another process may have built it meanwhile
        if found is not None:
            return found
        rows = ", shared conditions" if shared else ""
        named = of_variant(graph, wanted.precision, precision)
        tell(f"building {named}{rows}, batches {wanted.profile}, with {tensorrt}")
        stop = threading.Event()
        return run_stoppable(
            lambda: _build(bundle, precision, graph, options, wanted, tensorrt, gpu, folder, stop),
            stop,
        )


def of_variant(graph: str, computes: str, variant: str) -> str:
    """A graph's name with its precision. INT8 encodes its conditions with another one's graph."""
    return f"{graph} {computes}" + ("" if computes == variant else f" (which {variant} takes)")


def _build(
    bundle: Bundle,
    precision: str,
    graph: str,
    options: BuildOptions,
    wanted: Identity,
    tensorrt: TensorRT,
    gpu: Gpu | None,
    folder: Path,
    stop: threading.Event,
) -> EngineFile:
    stored = bundle.precision(precision).graphs[graph]
    job = Job(
        model=bundle.path(stored.path),
        inputs=stored.inputs,
        precision=wanted.precision,
        shared=wanted.shared,
        profile=wanted.profile,
        target=wanted.target,
        options=options,
    )
    built = build(tensorrt, job, stop)
    plan = memoryview(built.plan)
    sidecar = Sidecar(
        bundle=bundle.manifest.name,
        identity=wanted,
        bytes=plan.nbytes,
        sha256=hashlib.sha256(plan).hexdigest(),
        seconds=round(built.seconds, 2),
        gpu=gpu.name if gpu else "",
        network_layers=built.layers,
        engine_layers=_inspect(tensorrt, plan, wanted, job.model)
        if _runs_here(wanted, gpu)
        else {},
    )
    return cache.save(folder, plan, sidecar)


def _inspect(tensorrt: TensorRT, plan: memoryview, wanted: Identity, model: Path) -> Layers:
    runtime, engine = load_engine(tensorrt, plan, wanted.version_compatible, model)
    layers = engine_layers(tensorrt, engine, wanted.precision, model)
    del engine, runtime  # in this order
    return layers


def _identity(
    bundle: Bundle,
    precision: str,
    graph: str,
    options: BuildOptions,
    shared: bool,
    tensorrt: TensorRT,
    gpu: Gpu | None,
) -> Identity:
    graphs = bundle.precision(precision).graphs
    if graph not in graphs:
        raise PoseGenError(f"{bundle.root}: the {precision} variant has no graph {graph}")
    path = graphs[graph].path
    largest = bundle.manifest.max_batch
    return Identity(
        model=_model_hash(bundle, path),
        graph=graph,
        shared=shared,
        precision=PurePosixPath(path).parts[0],  # int8 encodes its conditions with fp32's graph
        flavor=tensorrt.flavor,
        version=tensorrt.version,
        platform=f"{sys.platform}-{platform.machine().lower()}",
        target=_target(tensorrt, options, gpu),
        profile=options.profile or Profile(1, largest, largest),
        workspace=options.workspace,
        version_compatible=options.version_compatible,
        hardware_compatible=options.hardware_compatible,
    )


def _model_hash(bundle: Bundle, path: str) -> str:
    """Of the graph and the weights beside it, by the hashes that were checked at load."""
    weights = PurePosixPath(path).with_name(WEIGHTS).as_posix()
    files = bundle.manifest.files
    hashes = [files[name].sha256 for name in (path, weights) if name in files]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _target(tensorrt: TensorRT, options: BuildOptions, gpu: Gpu | None) -> Capability | None:
    if tensorrt.flavor is Flavor.RTX:
        if options.compute_capability is None and gpu is not None and gpu.capability < AMPERE:
            return gpu.capability
        return options.compute_capability
    if gpu is None:
        raise PoseGenError(
            f"{tensorrt} builds on the GPU that runs the engine, and finds none here; build on "
            "that machine, or with --flavor rtx"
        )
    return gpu.capability


def _runs_here(wanted: Identity, gpu: Gpu | None) -> bool:
    return gpu is not None and wanted.target in (None, gpu.capability)


@contextmanager
def _alone(file: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock between processes, and between threads of this one."""
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell("another process is building the same engine; waiting for it")
        lock.acquire()
    except OSError as error:
        raise PoseGenError(
            f"{file.parent}: the engine cache cannot be written ({error.strerror or error}); "
            f"name another folder in {cache.VARIABLE}"
        ) from error
    try:
        yield
    finally:
        lock.release()
