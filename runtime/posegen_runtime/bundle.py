"""The bundle: the only thing that travels to the machine that generates.

A bundle is data: JSON, ONNX and PNG, no pickle. Only the exporter writes one; this reads.
`docs/bundle.md` describes the format for other readers.
"""

import hashlib
import os
from pathlib import Path

from posegen_runtime.bundle_checks import OF_MASKS, check_graph_file, check_manifest
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import SCHEMA, FileRecord, Graph, Manifest, Precision
from posegen_runtime.paths import files_below, open_regular, read_bytes
from posegen_runtime.records import read_record

MANIFEST = "bundle.json"
MAX_MANIFEST = 64 * 2**20
"""Bytes; an exporter's has some 60 kB."""


class Bundle:
    """A bundle on disk whose files were checked against their hashes.

    Raises `PoseGenError` when the directory is no bundle, a file is missing, changed or not
    recorded, a graph that the inputs need is missing, is not what the manifest says or would load
    a file from elsewhere, or the schema is newer than this package.
    """

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self.manifest = manifest

    @classmethod
    def load(cls, path: str | Path) -> "Bundle":
        root = Path(path)
        manifest = _read_manifest(root)
        check_manifest(root / MANIFEST, manifest)
        for name, record in manifest.files.items():
            _check_file(root / name, record)
        referenced = {graph.path for p in manifest.precisions for graph in p.graphs.values()}
        referenced.update(manifest.defaults.values())
        for golden in manifest.golden:
            referenced.update(golden.paths)
        for name in sorted((referenced | _held(root)) - manifest.files.keys()):
            raise PoseGenError(
                f"{root / MANIFEST}: {name} has no recorded sha256; export the bundle again"
            )
        graphs: list[Graph] = []
        for precision in manifest.precisions:
            graphs += [graph for graph in precision.graphs.values() if graph not in graphs]
        for graph in graphs:
            check_graph_file(root, graph, manifest.files)
        return cls(root, manifest)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of masks and images."""
        return self.manifest.image_size

    @property
    def conditions(self) -> list[str]:
        """Names of the inputs that are encoded once for many masks: appearance, background."""
        return [spec.name for spec in self.manifest.inputs if spec.name not in OF_MASKS]

    @property
    def takes_viewpoint(self) -> bool:
        return any(spec.name == "viewpoint" for spec in self.manifest.inputs)

    def precision(self, name: str) -> Precision:
        for precision in self.manifest.precisions:
            if precision.precision == name:
                return precision
        held = ", ".join(p.precision for p in self.manifest.precisions)
        raise PoseGenError(f"{self.root}: the bundle holds no {name} variant, only {held}")

    def path(self, relative: str) -> Path:
        return self.root / relative


def _read_manifest(root: Path) -> Manifest:
    file = root / MANIFEST
    if not os.path.isfile(file):  # pathlib raises where a parent is closed to us
        raise PoseGenError(f"{root}: not a bundle, {MANIFEST} is missing; name the exported folder")
    content = read_bytes(file, MAX_MANIFEST)
    return read_record(content, Manifest, SCHEMA, file, "bundle", "export it again")


def _held(root: Path) -> set[str]:
    """Every file below `root` but bundle.json and hidden ones: a graph may load any of them."""
    return {file.relative_to(root).as_posix() for file in files_below(root, links=False)} - {
        MANIFEST
    }


def _check_file(file: Path, record: FileRecord) -> None:
    if not os.path.isfile(file):
        raise PoseGenError(f"{file}: missing from the bundle; copy or export it again")
    if os.path.getsize(file) != record.bytes or sha256_of(file) != record.sha256:
        raise PoseGenError(
            f"{file}: changed since export (sha256 differs); copy or export it again"
        )


def sha256_of(file: Path) -> str:
    """Of the content, a part at a time: weights may be larger than the memory."""
    digest = hashlib.sha256()
    with open_regular(file) as opened:
        while part := opened.read(2**20):
            digest.update(part)
    return digest.hexdigest()
