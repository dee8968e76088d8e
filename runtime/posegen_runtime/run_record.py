"""`run.json`: what is needed to do a run again."""

import platform
import sys
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from posegen_runtime import __version__
from posegen_runtime.backends.choosing import Choice
from posegen_runtime.bundle import MANIFEST, Bundle, sha256_of
from posegen_runtime.inputs import Inputs
from posegen_runtime.options import RunOptions
from posegen_runtime.paths import write_atomic
from posegen_runtime.pipeline import Shape
from posegen_runtime.rows import Row
from posegen_runtime.sinks.tree import RUN

SCHEMA = 1


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
    planned: int
    """Images to make; under `--mask-values each` it grows with what the mask files hold."""
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    warnings: list[str] = []

    def add(self, row: Row, surplus: bool) -> None:
        """Count one row; a `surplus` one (a mask file's second object) was not planned for."""
        self.done += row.state == "done"
        self.failed += row.state == "failed"
        self.planned += surplus

    def write(self, out: Path) -> None:
        text = msgspec.json.format(msgspec.json.encode(self), indent=2)
        write_atomic(out / RUN, text + b"\n")


def describe_options(
    options: RunOptions, inputs: Inputs, shape: Shape, choice: Choice
) -> dict[str, Any]:
    """The options with everything that was chosen for the user."""
    resolved: dict[str, Any] = msgspec.to_builtins(options, enc_hook=str)
    reading = inputs.reading
    resolved |= {
        "mask_values": str(reading.object_id or reading.values.value),
        "mask_channel": reading.channel.value,
        "per_mask": inputs.per_mask,
        "categories": inputs.categories,
        "appearances": len(inputs.appearances),
        "backgrounds": len(inputs.backgrounds),
        "viewpoints": None if inputs.viewpoints is None else inputs.masks_with_viewpoint,
        "backend": choice.backend.value,
        "precision": choice.precision,
        "backend_why": choice.why,
        "lanes": shape.lanes,
        "batch": shape.batch,
    }
    del resolved["category"]
    return resolved


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
