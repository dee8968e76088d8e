"""Checkpoints: one safetensors file with the averaged generator, the discriminator and their story.

Tensors are named ``generator.*`` (EMA weights) and ``discriminator.*``; the metadata entry
``posegen`` holds `CheckpointInfo` as JSON.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from posegen.config import TrainConfig
from posegen.models.build import build_generator
from posegen.models.generator import Generator
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic
from posegen_runtime.records import read_record

SCHEMA = 1
BEST = "best.safetensors"
LAST = "last.safetensors"
_ENTRY = "posegen"


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """Where weights come from. `parent` is the sha256 of the checkpoint given as `--init`."""

    dataset: dict[str, Any]
    """name, sha256, licence, images (number of training images)."""
    seed: int
    version: str
    parent: str | None = None
    mask_range: dict[str, tuple[float, float]] = {}
    """As in `posegen_runtime.bundle.Manifest.mask_range`."""


class CheckpointInfo(msgspec.Struct, frozen=True, kw_only=True):
    train_config: TrainConfig
    step: int
    lineage: Lineage
    metrics: dict[str, float] = {}
    schema: int = SCHEMA


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds: `generator` and `discriminator` are state dicts on the CPU. `sha256` is
    that of the very bytes they come from, whatever becomes of the file: a run goes on writing."""

    path: Path
    sha256: str
    info: CheckpointInfo
    generator: dict[str, Tensor]
    discriminator: dict[str, Tensor]


def save_checkpoint(
    path: Path, generator: nn.Module, discriminator: nn.Module, info: CheckpointInfo
) -> None:
    """Write the weights and `info`; the file appears only when it is whole."""
    parts = {"generator": generator, "discriminator": discriminator}
    tensors = {
        f"{part}.{name}": tensor.detach().cpu().contiguous()
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }
    metadata = {_ENTRY: msgspec.json.encode(info).decode()}
    write_atomic(path, safetensors.torch.save(tensors, metadata), fsync=True)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; of a run's folder its best one, else its last.

    Raises `PoseGenError` when there is none, it is damaged, of a newer schema, or not finite.
    """
    file = _resolve(path)
    try:
        content = file.read_bytes()
        tensors = safetensors.torch.load(content)
    except (safetensors.SafetensorError, OSError) as error:
        raise PoseGenError(
            f"{file}: no readable checkpoint ({error}); copy it again or train anew"
        ) from error
    entry = _metadata(content).get(_ENTRY)
    if entry is None:
        raise PoseGenError(f"{file}: weights without PoseGen's metadata; name a file of a run")
    info = read_record(entry, CheckpointInfo, SCHEMA, file, "metadata", "train anew")
    if not are_finite(tensors):
        raise PoseGenError(
            f"{file}: weights hold NaN or infinity; name an earlier checkpoint or train anew"
        )
    return Checkpoint(
        path=file,
        sha256=hashlib.sha256(content).hexdigest(),
        info=info,
        generator=_part(tensors, "generator"),
        discriminator=_part(tensors, "discriminator"),
    )


def load_generator(path: Path) -> tuple[Generator, CheckpointInfo]:
    """The averaged generator in eval mode, on the CPU in float32.

    Raises `PoseGenError` as `load_checkpoint` does, when the configuration names no model, and when
    weights and configuration disagree.
    """
    checkpoint = load_checkpoint(path)
    return generator_of(checkpoint), checkpoint.info


def generator_of(checkpoint: Checkpoint) -> Generator:
    """The generator of a checkpoint that was read, as `load_generator` gives it."""
    try:
        generator = build_generator(checkpoint.info.train_config.model)
    except PoseGenError as error:
        raise PoseGenError(
            f"{checkpoint.path}: its metadata names no model of this version: {error}"
        ) from error
    problem = load_weights(generator, checkpoint.generator)
    if problem is not None:
        raise PoseGenError(
            f"{checkpoint.path}: weights do not fit the architecture it names ({problem}); "
            "use the version of posegen that wrote it"
        )
    return generator.eval()


def load_weights(module: nn.Module, weights: dict[str, Tensor]) -> str | None:
    """Load all weights into `module`, or load nothing and return what does not fit."""
    own = module.state_dict()
    missing, foreign = own.keys() - weights.keys(), weights.keys() - own.keys()
    if missing:
        return f"{len(missing)} tensors missing, such as {min(missing)}"
    if foreign:
        return f"{len(foreign)} unknown tensors, such as {min(foreign)}"
    for name, tensor in own.items():
        if tensor.shape != weights[name].shape:
            return f"{name} is {tuple(weights[name].shape)}, expected {tuple(tensor.shape)}"
    module.load_state_dict(weights)
    return None


def are_finite(tensors: dict[str, Tensor]) -> bool:
    return all(bool(torch.isfinite(t).all()) for t in tensors.values() if t.is_floating_point())


def _resolve(path: Path) -> Path:
    if path.is_file():
        return path
    for name in (BEST, LAST):
        if (path / name).is_file():
            return path / name
    raise PoseGenError(
        f"{path}: no checkpoint there; name a .safetensors file or the folder of a training run"
    )


def _metadata(content: bytes) -> dict[str, str]:
    """Of a valid safetensors file: 8 bytes with the header's length, then the header as JSON."""
    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = msgspec.json.decode(content[8 : 8 + length])
    return header.get("__metadata__", {})


def _part(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}."
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
