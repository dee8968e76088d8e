"""Is what a bundle says about itself possible? Asked before any engine opens one of its files.

A bundle may come from a stranger. Its hashes say that nothing changed since it was written, not
that it was written by the exporter.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import Graph, Manifest, Precision, TensorSpec
from posegen_runtime.onnxfile import Tensor, read_onnx
from posegen_runtime.parity import GATES

OF_MASKS = ("mask", "viewpoint")
"""Inputs that each mask brings itself."""
KNOWN = (*OF_MASKS, "appearance", "background")
MAX_BATCH_PIXELS = 2**28
"""In all images of the largest batch: 1,024 of 512×512, or 64 of 2048×2048."""

_FILE_NAME = re.compile(r"\w[\w. +-]*(/\w[\w. +-]*)*")
"""No "..", hidden file, drive, backslash or pattern; nor names that engines give a meaning."""


def check_manifest(file: Path, manifest: Manifest) -> None:
    """Raise `PoseGenError`, naming `file`, unless `manifest` is of a model that can be run."""
    height, width = manifest.image_size
    if height * width * manifest.max_batch > MAX_BATCH_PIXELS:
        raise PoseGenError(
            f"{file}: batches of {manifest.max_batch} images of {width}×{height} pixels are more "
            "than is run here; export it with a smaller --max-batch"
        )
    _check_names(file, manifest)
    inputs = [spec.name for spec in manifest.inputs]
    unknown = [name for name in inputs if name not in KNOWN]
    if unknown:
        raise PoseGenError(
            f"{file}: the model takes {unknown[0]}, which this version cannot give; upgrade posegen"
        )
    if inputs.count("mask") != 1 or len(set(inputs)) != len(inputs):
        raise _impossible(file, f"inputs {', '.join(inputs) or 'none'}")
    named = [precision.precision for precision in manifest.precisions]
    if not named or len(set(named)) != len(named):
        raise _impossible(file, f"precisions {', '.join(named) or 'none'}")
    for precision in manifest.precisions:
        if precision.precision not in GATES:
            raise PoseGenError(
                f"{file}: holds a {precision.precision} variant, which this version cannot run; "
                "upgrade posegen"
            )
        _check_precision(file, manifest, precision)
    for golden in manifest.golden:
        if max(map(abs, golden.viewpoint or (0.0,))) > 1.001:
            raise _impossible(file, f"a viewpoint {list(golden.viewpoint or ())}")


def _check_names(file: Path, manifest: Manifest) -> None:
    """Of every file, and that each file in use is recorded."""
    for name in manifest.files:
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise PoseGenError(f"{file}: {name} points outside the bundle")
        if not _FILE_NAME.fullmatch(name):
            raise PoseGenError(f"{file}: {name} is no name for a file in a bundle; export it again")


def _check_precision(file: Path, manifest: Manifest, precision: Precision) -> None:
    """The graphs that the inputs need are there, and fit together and to the inputs."""
    conditions = [spec for spec in manifest.inputs if spec.name not in OF_MASKS]
    needed = ("generator", "conditions", "generator_cached") if conditions else ("generator",)
    for name in needed:
        if name not in precision.graphs:
            raise PoseGenError(
                f"{file}: the {precision.precision} variant has no graph {name}; "
                "export the bundle again"
            )
    graphs = precision.graphs
    _check_specs(file, manifest, "inputs", manifest.inputs)
    _expect(file, graphs["generator"], manifest.inputs)
    if conditions:
        encoded = graphs["conditions"].outputs
        of_masks = [spec for spec in manifest.inputs if spec.name in OF_MASKS]
        _expect(file, graphs["conditions"], conditions)
        _expect(file, graphs["generator_cached"], [*of_masks, *encoded])
    for name in needed:
        if name != "conditions":
            if [spec.name for spec in graphs[name].outputs] != ["image"]:
                raise _impossible(file, f"a graph {name} that does not return one image")
            _check_specs(file, manifest, name, graphs[name].outputs)


def _check_specs(file: Path, manifest: Manifest, where: str, specs: Iterable[TensorSpec]) -> None:
    """Inputs and images are of the type and size that the runtime gives and takes."""
    height, width = manifest.image_size
    for spec in specs:
        shape = {"mask": (height, width), "viewpoint": (3,)}.get(spec.name, (height, width, 3))
        dtype = "float32" if spec.name == "viewpoint" else "uint8"
        leads = len(spec.shape) == len(shape) + 1 and isinstance(spec.shape[0], str)
        if not leads or tuple(spec.shape[1:]) != shape or spec.dtype != dtype:
            raise _impossible(file, f"{where}: {spec.name} {spec.dtype} {spec.shape}")


def _expect(file: Path, graph: Graph, specs: Iterable[TensorSpec]) -> None:
    """The graph takes just what it will be given. Of a shape, the batch's letter may differ."""
    taken = sorted(f"{spec.name} {spec.dtype} {spec.shape[1:]}" for spec in graph.inputs)
    given = sorted(f"{spec.name} {spec.dtype} {spec.shape[1:]}" for spec in specs)
    if taken != given:
        more = "; ".join(line for line in taken if line not in given) or "fewer"
        fewer = "; ".join(line for line in given if line not in taken) or "that"
        raise _impossible(file, f"{graph.path} takes {more}, is given {fewer}")


def check_graph_file(root: Path, graph: Graph, files: Iterable[str]) -> None:
    """The ONNX file of `graph` is what the manifest says, and names no files but `files`.

    Raises `PoseGenError` naming the file.
    """
    path = root / graph.path
    if path.suffix != ".onnx":  # by that, engines decide what a file holds
        raise PoseGenError(f"{path}: is no .onnx file; export the bundle again")
    held = read_onnx(path)
    for what, specs, tensors in (
        ("takes", graph.inputs, held.inputs),
        ("returns", graph.outputs, held.outputs),
    ):
        said = {spec.name for spec in specs}
        if said != tensors.keys():
            raise PoseGenError(
                f"{path}: {what} {', '.join(sorted(tensors)) or 'nothing'}, bundle.json says "
                f"{', '.join(sorted(said)) or 'nothing'}; export the bundle again"
            )
        for spec in specs:
            if not _agrees(tensors[spec.name], spec):
                raise PoseGenError(
                    f"{path}: {spec.name} is not {spec.dtype} {spec.shape} as bundle.json says; "
                    "export the bundle again"
                )
    check_external(path, held.external, root, files)


def check_external(path: Path, external: Iterable[str], root: Path, files: Iterable[str]) -> None:
    """The files that the graph at `path` has an engine load are `files`, recorded below `root`.

    Raises `PoseGenError` naming the graph otherwise: absolute paths, "..", links that lead out.
    """
    inside = os.path.realpath(root)
    for location in sorted(external):
        file = path.parent / location
        if not (
            _FILE_NAME.fullmatch(location)
            and file.relative_to(root).as_posix() in files
            and Path(os.path.realpath(file)).is_relative_to(inside)
        ):
            raise PoseGenError(
                f"{path}: has its weights in {location}, which is no file of the bundle; "
                "do not use it, or export it again"
            )


def _agrees(tensor: Tensor, spec: TensorSpec) -> bool:
    """What the file leaves open, the manifest may name by a letter only."""
    said = tuple(size if isinstance(size, int) else None for size in spec.shape)
    return tensor == (spec.dtype, said)


def _impossible(file: Path, what: str) -> PoseGenError:
    return PoseGenError(f"{file}: no model that can be run ({what}); export it again")
