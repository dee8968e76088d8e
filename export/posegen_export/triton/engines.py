"""Where the files of a model come from: the bundle's graph, or an engine built on this machine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from posegen_export.triton.config import FILES
from posegen_export.triton.serving import Model, Options, Role, ServingBackend
from posegen_runtime.bundle import Bundle
from posegen_runtime.manifest import Graph
from posegen_runtime.onnxfile import read_onnx

GRAPHS = {
    Role.GENERATOR: "generator",
    Role.CONDITIONS: "conditions",
    Role.CACHED: "generator_cached",
}


@dataclass(frozen=True)
class Content:
    """Files of one version: path below its folder → where it lies now, and its sha256. `engine`:
    what a TensorRT engine was built with and for, where it is one."""

    sources: dict[str, Path] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    engine: dict[str, str] = field(default_factory=dict)


def contents_of(
    bundle: Bundle, models: list[Model], options: Options, tell: Callable[[str], None]
) -> list[Content]:
    """The files of each model. Engines that the cache lacks are built, which `tell` hears.

    Raises `PoseGenError` when an engine cannot be built here.
    """
    return [
        Content()
        if model.graph is None
        else _engine(bundle, model, options, tell)
        if options.backend is ServingBackend.TENSORRT
        else _graph(bundle, model.graph)
        for model in models
    ]


def _graph(bundle: Bundle, graph: Graph) -> Content:
    """The ONNX file; with weights beside it, both in a folder of the file's name, as Triton has it
    for models of several files."""
    path = PurePosixPath(graph.path)
    file = FILES[ServingBackend.ONNX]
    beside = sorted(read_onnx(bundle.path(graph.path)).external)
    held = {f"{file}/{name}": path.with_name(name).as_posix() for name in beside}
    held[f"{file}/{file}" if beside else file] = graph.path
    return Content(
        sources={name: bundle.path(source) for name, source in held.items()},
        hashes={name: bundle.manifest.files[source].sha256 for name, source in held.items()},
    )


def _engine(bundle: Bundle, model: Model, options: Options, tell: Callable[[str], None]) -> Content:
    """An engine for the batches that the model is served with, from the runtime's own cache."""
    from posegen_runtime.engines import BuildOptions, Flavor, Profile, ensure_engine

    most = 1 if model.role is Role.CONDITIONS else options.max_batch
    built = ensure_engine(
        bundle,
        options.precision,
        GRAPHS[model.role],
        # Not TensorRT-RTX: the server loads engines of TensorRT alone.
        BuildOptions(flavor=Flavor.TENSORRT, profile=Profile(1, most, most)),
        shared=model.role is Role.CACHED,
        tell=tell,
    )
    file = FILES[ServingBackend.TENSORRT]
    version = ".".join(map(str, built.sidecar.identity.version))
    return Content(
        sources={file: built.path},
        hashes={file: built.sidecar.sha256},
        engine={"tensorrt": version, "gpu": built.sidecar.gpu},
    )
