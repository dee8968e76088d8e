"""Short training runs of the tiny presets on coloured ellipses."""

from pathlib import Path
from typing import Any

import msgspec

from posegen.config import Arch, ModelConfig, TrainConfig, Variant
from posegen.training.interrupt import Interrupt
from posegen.training.run import RunOptions, run_training


def tiny_config(**changes: Any) -> TrainConfig:
    """`changes` of TrainConfig and of ModelConfig alike; 8 steps at 32 px by default."""
    model = {"arch": Arch.SPATIAL, "preset": "tiny", "image_size": 32}
    model["variant"] = Variant.POSE_APPEARANCE_BACKGROUND
    for name in list(changes):
        if name in ModelConfig.__struct_fields__:
            model[name] = changes.pop(name)
    settings = {"steps": 8, "batch_size": 4, "evaluate_every": 4} | changes
    return TrainConfig(model=ModelConfig(**model), **settings)


def train(
    data: Path,
    out: Path,
    config: TrainConfig | None = None,
    interrupt: Interrupt | None = None,
    **options: Any,
) -> int:
    settings = {"device": "cpu", "save_every": 4, "sample_every": 100} | options
    return run_training(
        config or tiny_config(), RunOptions(data, out, **settings), interrupt or Interrupt()
    )


def replaced(config: TrainConfig, **changes: Any) -> TrainConfig:
    return msgspec.structs.replace(config, **changes)
