"""`run.json`: what is needed to do a run again."""

import platform
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from posegen_runtime import __version__
from posegen_runtime.backends.choosing import Choice
from posegen_runtime.bundle import MANIFEST, Bundle, sha256_of
from posegen_runtime.errors import PoseGenError, printable
from posegen_runtime.inputs import Inputs
from posegen_runtime.judging import Judging
from posegen_runtime.ledger import Counts, Ledger
from posegen_runtime.making import Model
from posegen_runtime.options import RunOptions
from posegen_runtime.paths import read_bytes, write_atomic
from posegen_runtime.shape import Shape, available_cores
from posegen_runtime.sinks.tree import RUN

SCHEMA = 2


class Session(msgspec.Struct, kw_only=True):
    """One start of the command. Of one that was killed, what the next start finds in the ledger;
    until then `seconds` are 0."""

    started: float
    """Unix time."""
    seconds: float = 0.0
    made: int = 0
    """Images."""


class RunRecord(msgspec.Struct, kw_only=True):
    """The file's content. `state` is "running" until the run ends, then "finished", "interrupted"
    (Ctrl-C) or "stopped" (an error, the first of `warnings`); a killed run stays "running"."""

    schema: int = SCHEMA
    state: str = "running"
    options: dict[str, Any]
    """Every option with the value that was used, also where the user named none."""
    bundle: dict[str, Any]
    versions: dict[str, str]
    hardware: dict[str, Any]
    planned: int = 0
    """Images to make; under `--mask-values each` it grows with what the mask files hold."""
    done: int = 0
    rejected: int = 0
    failed: int = 0
    pending: int = 0
    sessions: list[Session] = []
    """The newest last."""
    warnings: list[str] = []
    shards: dict[str, dict[str, Any]] = {}
    """Of a merge, by `--shard`: machine, versions, sessions and warnings of each."""

    @classmethod
    def begin(cls, out: Path, described: dict[str, Any], ledger: Ledger) -> "RunRecord":
        """A record of a run that begins, or goes on in `out`, whose ledger it is."""
        before = _Before()
        with suppress(PoseGenError, msgspec.MsgspecError):
            before = msgspec.json.decode(read_bytes(out / RUN), type=_Before)
        sessions = [*before.sessions, Session(started=round(time.time(), 3))]
        for killed, after in pairwise(sessions):
            if not killed.seconds:
                _mend(killed, after.started, ledger)
        return cls(**described, sessions=sessions, shards=before.shards)

    @property
    def session(self) -> Session:
        return self.sessions[-1]

    def shape(self, shape: Shape) -> None:
        """How many images were made at once."""
        self.options |= {"lanes": shape.lanes, "batch": shape.batch}

    def write(self, out: Path, counts: Counts) -> None:
        """Raises `PoseGenError` when the file cannot be written."""
        for name in Counts.__struct_fields__:
            setattr(self, name, getattr(counts, name))
        text = msgspec.json.format(msgspec.json.encode(self), indent=2)
        write_atomic(out / RUN, text + b"\n")


class _Before(msgspec.Struct):
    sessions: list[Session] = []
    shards: dict[str, dict[str, Any]] = {}


def _mend(killed: Session, until: float, ledger: Ledger) -> None:
    with ledger.view() as view:
        killed.made, last = view.made_between(killed.started, until)
    if last is not None:
        killed.seconds = round(last - killed.started, 3)


def describe(
    options: RunOptions,
    inputs: Inputs,
    model: Model,
    judging: Judging | None = None,
    machines: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a record says of a run that begins; `machines`: of others than this one."""
    return {
        "options": describe_options(options, inputs, model.choice) | _describe_judges(judging),
        "bundle": describe_bundle(model.bundle),
        "versions": describe_versions(model.engine),
        "hardware": describe_hardware(available_cores()) | dict(machines or {}),
    }


def describe_options(options: RunOptions, inputs: Inputs, choice: Choice) -> dict[str, Any]:
    """The options with everything that was chosen for the user, and no relative path."""
    absolute = {
        name: value.absolute()
        for name, value in msgspec.structs.asdict(options).items()
        if isinstance(value, Path)
    }
    resolved: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(options, **absolute), enc_hook=lambda path: printable(str(path))
    )
    reading = inputs.reading
    resolved |= {
        "mask_values": str(reading.object_id or reading.values.value),
        "mask_channel": reading.channel.value,
        "per_mask": inputs.per_mask,
        "shard": str(options.shard),
        "categories": inputs.categories,
        "appearances": len(inputs.appearances),
        "backgrounds": len(inputs.backgrounds),
        "viewpoints": None if inputs.viewpoints is None else inputs.masks_with_viewpoint,
        "backend": choice.backend.value,
        "precision": choice.precision,
        "backend_why": choice.why,
    }
    return resolved


def _describe_judges(judging: Judging | None) -> dict[str, Any]:
    """How high an IoU must be, and which judges say so."""
    if judging is None:
        return {}
    hashes = {f"{name}_sha256": digest for name, digest in judging.hashes.items()}
    return {"min_iou": judging.min_iou, **hashes}


def describe_bundle(bundle: Bundle) -> dict[str, Any]:
    """Which model it was: bundle.json names every other file by its hash."""
    manifest = bundle.manifest
    return {
        "path": str(bundle.root),
        "name": manifest.name,
        "arch": manifest.arch,
        "preset": manifest.preset,
        "variant": manifest.variant,
        "image_size": list(manifest.image_size),
        "sha256": sha256_of(bundle.root / MANIFEST),
    }


def describe_versions(engine: str) -> dict[str, str]:
    return {
        "posegen": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "engine": engine,
    }


def describe_hardware(cores: int) -> dict[str, Any]:
    return {"platform": sys.platform, "machine": platform.machine(), "cores": cores}
