"""What `posegen-export int8` is asked for, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posegen_calibration.ranges import Method
from posegen_calibration.sampling import Sampling
from posegen_calibration.sensitivity import Effect
from posegen_export.int8_pose import PoseIou
from posegen_runtime.parity import ParityFigures

HELD_OUT = "held out"
"""How the names of figures on held-out masks begin."""
BLAMED = 5
"""Layers named when the gate is missed."""


@dataclass(frozen=True)
class Int8Options:
    sampling: Sampling
    method: Method = Method.PERCENTILE
    cache: Path | None = None
    report: Path | None = None
    rest: str = "auto"
    """The precision of everything that is not INT8; see `choose_rest`."""
    source: str = ""
    """The data set and splits that `sampling` shows, for the record; empty for plain folders."""


@dataclass(frozen=True)
class Int8Result:
    """What was measured. `missed` is empty when the bundle was written."""

    figures: dict[str, ParityFigures]
    effects: list[Effect]
    pose: PoseIou
    speed: dict[str, Any]
    missed: list[str]
    peaks: dict[str, float]
    """Largest absolute value of each float16 tensor; empty where there is none."""
    bytes: int = 0

    @property
    def work_in_int8(self) -> float:
        """Share of the multiplications of all layers that INT8 can serve."""
        return work_in_int8(self.effects)

    @property
    def advice(self) -> str:
        """What to do about `missed`; empty where only the layers can say."""
        if self.missed and all(line.startswith(HELD_OUT) for line in self.missed):
            return (
                "the inputs that layers were chosen by kept the gate and held-out ones did not: "
                "the ranges have seen too little; give more masks and photos, or more --samples"
            )
        return ""

    @property
    def blame(self) -> list[str]:
        """The layers in INT8 that lose most, one line each."""
        quantized = [effect for effect in self.effects if not effect.kept]
        return [
            f"{e.layer}: alone in INT8 {e.psnr_inside:.1f} dB inside, {e.share_of_error:.0%} of "
            "the error of all layers"
            for e in quantized[:BLAMED]
        ]


class Int8Missed(Exception):
    """INT8 misses a gate: nothing was written."""

    def __init__(self, result: Int8Result) -> None:
        super().__init__("; ".join(result.missed))
        self.result = result


def work_in_int8(effects: Sequence[Effect]) -> float:
    return sum(effect.share_of_work for effect in effects if not effect.kept)
