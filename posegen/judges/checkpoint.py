"""A judge's checkpoint: one safetensors file, weights and their story (`JudgeInfo` as JSON)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import safetensors
import safetensors.torch

from posegen.checkpoint import Lineage, are_finite, load_weights
from posegen.judges.config import JudgeConfig
from posegen.judges.models import Judge, build_judge
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic
from posegen_runtime.records import read_record

SCHEMA = 1
FILE = "judge.safetensors"
_ENTRY = "posegen-judge"


class JudgeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`figures` as in `posegen_runtime.judges.Manifest`."""

    config: JudgeConfig
    lineage: Lineage
    figures: dict[str, float]
    schema: int = SCHEMA


@dataclass(frozen=True)
class JudgeCheckpoint:
    """`judge` is in eval mode, on the CPU, in float32. `sha256` is that of the file."""

    path: Path
    sha256: str
    info: JudgeInfo
    judge: Judge


def save_judge(path: Path, judge: Judge, info: JudgeInfo) -> None:
    """Write weights and `info`; the file appears only when it is whole."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in judge.state_dict().items()}
    metadata = {_ENTRY: msgspec.json.encode(info).decode()}
    write_atomic(path, safetensors.torch.save(tensors, metadata), fsync=True)


def load_judge(path: Path) -> JudgeCheckpoint:
    """Read a checkpoint, or the one in a training run's folder.

    Raises `PoseGenError` when there is none, it is damaged or no judge's, its schema is newer, or
    its weights are not finite or not those of the network it names.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise PoseGenError(
            f"{file}: no judge there; name what `posegen judges train` wrote or its folder"
        )
    try:
        content = file.read_bytes()
        tensors = safetensors.torch.load(content)
        with safetensors.safe_open(file, "pt") as opened:
            entry = (opened.metadata() or {}).get(_ENTRY)
    except (safetensors.SafetensorError, OSError) as error:
        raise PoseGenError(
            f"{file}: no readable checkpoint ({error}); copy it again or train anew"
        ) from error
    if entry is None:
        raise PoseGenError(f"{file}: no judge's checkpoint; name what `posegen judges train` wrote")
    info = read_record(entry, JudgeInfo, SCHEMA, file, "metadata", "train anew")
    if not are_finite(tensors):
        raise PoseGenError(f"{file}: weights hold NaN or infinity; train anew")
    judge = build_judge(info.config.kind, info.config.image_size)
    problem = load_weights(judge, tensors)
    if problem is not None:
        raise PoseGenError(
            f"{file}: weights do not fit the network it names ({problem}); "
            "use the version of posegen that wrote it"
        )
    return JudgeCheckpoint(file, hashlib.sha256(content).hexdigest(), info, judge.eval())
