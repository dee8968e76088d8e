"""What lies in a model repository already, and may a bundle be added to it?"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from posegen_export.triton.serving import Model, Options
from posegen_runtime.bundle import MANIFEST
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import TensorSpec
from posegen_runtime.paths import read_bytes
from posegen_runtime.records import read_record

CONFIG = "config.pbtxt"
RECORD = "posegen.json"
"""In the folder of each version, where the server does not look at it."""
SCHEMA = 1
_SEAL = "# posegen-export triton wrote this; an edited one is not overwritten. sha256 "
MAX_BYTES = 2**24


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`posegen.json`: what one version of a model was made of."""

    schema: int = SCHEMA
    posegen: str
    """Version of the package that wrote it."""
    bundle: str
    bundle_sha256: str
    """Of its `bundle.json`, which names every file and its hash."""
    precision: str
    backend: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    files: dict[str, str]
    """Path below the version's folder → sha256."""
    engine: dict[str, str] = {}
    """The version of TensorRT and the GPU that an engine was built with and for."""

    @property
    def interface(self) -> object:
        """What all versions of a model have in common, as they share one configuration."""
        tensors = [(s.name, s.dtype, s.shape) for s in (*self.inputs, *self.outputs)]
        return self.backend, self.precision, tensors


@dataclass(frozen=True)
class Held:
    """What a repository has of one model: its newest version (0: none) with its record, and its
    configuration as text (None: none)."""

    version: int = 0
    record: Record | None = None
    config: str | None = None


def check_root(root: Path) -> None:
    """Raise `PoseGenError` unless `root` is a model repository, empty, or not there yet.

    Other models in it are fine and stay as they are.
    """
    if not (os.path.exists(root) or root.is_symlink()):
        return
    if not root.is_dir():
        raise PoseGenError(f"{root}: is no folder; name a folder for the model repository with -o")
    if (root / MANIFEST).exists():
        raise PoseGenError(f"{root}: is a bundle; name another folder for the repository with -o")
    for entry in sorted(root.iterdir()):
        if entry.name.startswith("."):
            continue
        if not (entry.is_dir() and ((entry / CONFIG).is_file() or _versions(entry))):
            raise PoseGenError(
                f"{root}: is no model repository, as it holds {entry.name}, which is no model; "
                "name another folder with -o"
            )


def held_of(folder: Path, model: Model, options: Options, wanted: Record) -> Held:
    """What lies in the `folder` of `model`, which `wanted` would be added to.

    Raises `PoseGenError` when it was not written by this command, was written for a model of
    another interface, or has a configuration that was edited.
    """
    if not folder.exists():
        return Held()
    versions = _versions(folder)
    if not versions or not (folder / str(versions[-1]) / RECORD).is_file():
        raise PoseGenError(
            f"{folder}: is a model that posegen-export did not write; name another with --name"
        )
    file = folder / str(versions[-1]) / RECORD
    record = read_record(
        read_bytes(file, MAX_BYTES), Record, SCHEMA, file, "record", "name another with --name"
    )
    if record.interface != wanted.interface:
        raise PoseGenError(
            f"{folder}: serves {_label(record)}, and all versions of a model must be alike; "
            f"this one is {_label(wanted)}: name another model with --name"
        )
    config = folder / CONFIG
    if not config.is_file():
        return Held(versions[-1], record)
    text = read_bytes(config, MAX_BYTES).decode("utf-8", "surrogateescape")
    if not _is_sealed(text):
        raise PoseGenError(
            f"{config}: was edited by hand and would be overwritten; move it away, or name "
            "another model with --name"
        )
    return Held(versions[-1], record, text)


def sealed(text: str) -> str:
    """`text` behind a line that tells whether it is as it was written."""
    return f"{_SEAL}{_hash(text)}\n{text}"


def _is_sealed(text: str) -> bool:
    first, _, rest = text.partition("\n")
    return first == f"{_SEAL}{_hash(rest)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _versions(folder: Path) -> list[int]:
    """The numbers of a model's versions, ascending. Triton takes no leading zero."""
    names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    return sorted(int(n) for n in names if n.isdecimal() and n.isascii() and n[0] != "0")


def _label(record: Record) -> str:
    tensors = ", ".join(
        f"{s.name} {s.dtype} [{', '.join(map(str, s.shape))}]" for s in record.inputs
    )
    return f"{record.precision} by {record.backend} of {tensors}"
