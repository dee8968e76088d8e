"""What `posegen experiments tables` is told, and the training run of each row."""

from dataclasses import dataclass
from pathlib import Path

from posegen.config import (
    DEFAULT,
    DEFAULT_PRESETS,
    EVERY,
    Arch,
    LossConfig,
    ModelConfig,
    TrainConfig,
    TrainPrecision,
)
from posegen.experiments.rows import ROWS, TrainedRow
from posegen.metrics.distances import KID_SUBSET_SIZE
from posegen.metrics.segmenter import SHIPPED, SegmenterChoice

VALIDATION = 256
"""Validation samples that the best checkpoint is chosen by."""
SHOWN = 32
"""Test samples whose images are kept for the figures."""


@dataclass(frozen=True)
class TablesOptions:
    """Where, which rows, how they are trained, and how all are measured.

    `given` are checkpoints, runs or bundles (of `given_precisions`, each) for further rows;
    `samples` None takes the whole test split; `surrogate` None takes the untrained network's
    figures where Inception's weights are missing.
    """

    data: Path
    out: Path
    rows: tuple[str, ...] = tuple(ROWS)
    given: tuple[Path, ...] = ()
    given_precisions: tuple[str, ...] = ("fp32",)
    presets: tuple[str, str] = (DEFAULT_PRESETS[Arch.BOTTLENECK], DEFAULT_PRESETS[Arch.SPATIAL])
    image_size: int = DEFAULT.model.image_size
    steps: int = DEFAULT.steps
    batch_size: int = DEFAULT.batch_size
    loss: LossConfig = DEFAULT.loss
    precision: TrainPrecision = DEFAULT.precision
    evaluate_every: int = EVERY
    samples: int | None = None
    validation: int = VALIDATION
    segmenter: SegmenterChoice = SHIPPED
    weights: Path | None = None
    surrogate: bool | None = None
    subset_size: int = KID_SUBSET_SIZE
    seed: int = 0
    device: str = "auto"
    judged_at_once: int = 16

    def config(self, row: TrainedRow) -> TrainConfig:
        """Equal for all rows but for what the row is about."""
        bottleneck, spatial = self.presets
        return TrainConfig(
            model=ModelConfig(
                arch=row.arch,
                preset=bottleneck if row.arch is Arch.BOTTLENECK else spatial,
                variant=row.variant,
                image_size=self.image_size,
            ),
            loss=self.loss,
            steps=self.steps,
            batch_size=self.batch_size,
            precision=self.precision,
            evaluate_every=self.evaluate_every,
            seed=self.seed,
        )

    def folder(self, key: str) -> Path:
        return self.out / "rows" / key
