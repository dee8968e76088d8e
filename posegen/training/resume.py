"""The resume file: all that a step depends on, so that a killed run goes on bit for bit.

Random numbers and the order of the data follow from (seed, step); the step is their state.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import msgspec
import torch
from lightning_fabric import Fabric

from posegen.checkpoint import Lineage
from posegen.config import TrainConfig
from posegen.training.state import TrainingState
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic

SCHEMA = 1
RESUME = "resume.pt"
_FREE = {"devices", "nodes"}
"""What a run may change on the way: what is learnt does not depend on it."""


def save_resume(
    run: Path, state: TrainingState, config: TrainConfig, lineage: Lineage, fabric: Fabric
) -> None:
    content = {
        "schema": SCHEMA,
        "config": msgspec.json.encode(config).decode(),
        "lineage": msgspec.json.encode(lineage).decode(),
        "step": state.step,
        "best": state.best,
        "metrics": state.metrics,
        "precision": fabric.strategy.precision.state_dict(),
        **{name: part.state_dict() for name, part in _parts(state).items()},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomic(run / RESUME, buffer.getvalue(), fsync=True)


def read_resume(
    run: Path, config: TrainConfig, dataset_sha256: str, parent: str | None
) -> dict[str, Any] | None:
    """The stored state, or None when `run` holds none.

    Raises `PoseGenError` when the file is damaged or belongs to another configuration, data set or
    initial checkpoint; the message names the option that differs.
    """
    file = run / RESUME
    if not file.is_file():
        return None
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
        if content["schema"] != SCHEMA:
            raise PoseGenError(
                f"{file}: written by another version of posegen (schema {content['schema']}); "
                "continue with that version or give another --out"
            )
        stored = _flat(msgspec.json.decode(content["config"]))
        # A run of an earlier version was trained without the options that it did not know.
        known = msgspec.json.decode(content["config"], type=TrainConfig)
        before = _flat(msgspec.to_builtins(known)) | stored
        origin = msgspec.json.decode(content["lineage"], type=Lineage)
    except (
        OSError,
        RuntimeError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        pickle.UnpicklingError,
        msgspec.MsgspecError,
    ) as error:
        raise PoseGenError(
            f"{file}: unreadable resume file ({type(error).__name__}); remove it to start again"
        ) from error
    problem = (
        _other_value(before, _flat(msgspec.to_builtins(config)))
        or _other_data(origin.dataset["sha256"], dataset_sha256)
        or _other_init(origin.parent, parent)
    )
    if problem is not None:
        raise PoseGenError(f"{file}: {problem}; repeat the first command or give another --out")
    return dict(content)


def restore(state: TrainingState, content: dict[str, Any], fabric: Fabric) -> None:
    for name, part in _parts(state).items():
        part.load_state_dict(content[name])
    fabric.strategy.precision.load_state_dict(content["precision"])
    state.step = content["step"]
    state.best = content["best"]
    state.metrics = content["metrics"]


def _parts(state: TrainingState) -> dict[str, Any]:
    return {
        "generator": state.plain_generator,
        "discriminator": state.plain_discriminator,
        "ema": state.ema.module,
        "generator_optimizer": state.generator_optimizer,
        "discriminator_optimizer": state.discriminator_optimizer,
    }


def other_option(before: TrainConfig, now: TrainConfig) -> str | None:
    """Names the first option in which two runs differ, and both values; None where none counts."""
    return _other_value(_flat(msgspec.to_builtins(before)), _flat(msgspec.to_builtins(now)))


def _other_value(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    for name in sorted((before.keys() | now.keys()) - _FREE):
        if before.get(name) != now.get(name):
            option = "--" + name.rpartition(".")[2].replace("_", "-")
            return f"{option} is {now.get(name)}, the run was started with {before.get(name)}"
    return None


def _other_data(before: str, now: str) -> str | None:
    return None if before == now else "--data: another data set than the run was started with"


def _other_init(before: str | None, now: str | None) -> str | None:
    if before == now:
        return None
    if now is None:
        return "--init: missing, the run was started with one"
    if before is None:
        return "--init: the run was started without"
    return "--init: another checkpoint than the run was started with"


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = list(value) if isinstance(value, (list, tuple)) else value
    return flat
