"""Configuration of a judge's training."""

import math
from enum import Enum

import msgspec

from posegen.config import TrainPrecision

_WARM_UP = 0.05


class JudgeKind(str, Enum):
    """What a judge sees and says, as in `posegen_runtime.judges`."""

    SEGMENTER = "segmenter"
    HEADING = "heading"
    OUTLINE = "outline"

    @property
    def input(self) -> str:
        return "mask" if self is JudgeKind.OUTLINE else "image"

    @property
    def output(self) -> str:
        return "mask" if self is JudgeKind.SEGMENTER else "heading"


class JudgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One training run of a judge."""

    kind: JudgeKind = JudgeKind.SEGMENTER
    image_size: int = 128
    steps: int = 3000
    batch_size: int = 32
    learning_rate: float = 2e-3
    """At the top: it rises over the first twentieth of the steps and falls to 0 as a cosine."""
    weight_decay: float = 0.01
    seed: int = 0
    precision: TrainPrecision = TrainPrecision.BFLOAT16


DEFAULT = JudgeConfig()


def learning_rate(config: JudgeConfig, step: int) -> float:
    """A short linear rise, then a cosine down to 0."""
    share = (step + 1) / config.steps
    if share < _WARM_UP:
        return config.learning_rate * share / _WARM_UP
    fallen = (share - _WARM_UP) / (1 - _WARM_UP)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * fallen))
