"""Configuration of a judge's training."""

from enum import Enum

import msgspec

from posegen.config import TrainPrecision


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
