"""What to calibrate on: the options, and what makes two calibrations the same."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from posegen_runtime.bundle import sha256_of
from posegen_runtime.choices import Axis, Fit, MaskChannel
from posegen_runtime.jobs import find_images

PATHS = ("masks", "appearance", "background", "poses")
"""Options of `Sampling` that say where data lie, not how it is used."""


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """What to calibrate on, under the names of the command's options."""

    masks: Path
    appearance: Path | None = None
    background: Path | None = None
    poses: Path | None = None
    samples: int = 512
    seed: int = 0
    fit: Fit = Fit.AUTO
    mask_values: str = "auto"
    mask_channel: MaskChannel = MaskChannel.AUTO
    model_forward: Axis = Axis.X
    model_up: Axis = Axis.Z


def data_hashes(sampling: Sampling) -> dict[str, str]:
    """sha256 of every input folder or file, by option: names and contents, not where they lie."""
    hashes = {}
    for name in ("masks", "appearance", "background"):
        if (path := getattr(sampling, name)) is not None:
            hashes[name] = _hash((s.name, s.path) for s in find_images(path, f"--{name}"))
    if (poses := sampling.poses) is not None:
        files = sorted(poses.glob("scene_*.json")) if poses.is_dir() else [poses]
        hashes["poses"] = _hash((file.name, file) for file in files)
    return hashes


def _hash(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()
