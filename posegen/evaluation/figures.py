"""The figures of an evaluation: what each is, what stands beside it, what it should be."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from posegen.evaluation import thresholds
from posegen.evaluation.measure import Columns
from posegen.evaluation.statistics import (
    Statistic,
    intervals,
    mean,
    median,
    ratio,
    share_above,
    share_below,
)

REVERSED = 90.0
"""Degrees; a heading that is further off is taken for the other way round."""

NO_TRAINING = "no training photos"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A figure's value on the generated images, with its 95 % interval, on the real photos, and its
    control. None: it has none. `missing` says why there is no value, `control_missing` why a value
    has not the control that it should have, `met` whether the target is reached (None: no target,
    or no value)."""

    value: float | None
    low: float | None = None
    high: float | None = None
    real: float | None = None
    control: float | None = None
    control_is: str = ""
    control_missing: str = ""
    target: str = ""
    met: bool | None = None
    missing: str = ""


@dataclass(frozen=True)
class Target:
    """`met` is told the value, the real photos' and the control's."""

    text: str
    met: Callable[[float, float, float], bool]


@dataclass(frozen=True)
class Figure:
    """`column`: the one whose absence says why there is no value. `digits` are printed, of a share
    in percent."""

    label: str
    column: str
    value: Statistic
    real: Statistic | None = None
    control: Statistic | None = None
    control_is: str = ""
    target: Target | None = None
    input: str = "mask"
    """The figure applies to models that take this."""
    percent: bool = False
    digits: int = 1

    def result(self, columns: Columns) -> Result:
        value = self.value(columns)
        real = float("nan") if self.real is None else self.real(columns)
        control = float("nan") if self.control is None else self.control(columns)
        measured = not np.isnan(value)
        lacks_control = measured and self.control is not None and np.isnan(control)
        return Result(
            value=_number(value),
            real=_number(real),
            control=_number(control),
            control_is=self.control_is,
            control_missing=_no_control(self, columns) if lacks_control else "",
            target="" if self.target is None else self.target.text,
            met=self.target.met(value, real, control) if self.target and measured else None,
            missing="" if measured else _reason(self, columns),
        )


def _at_least(limit: float) -> Target:
    return Target(f"≥ {limit:g}", lambda value, real, control: value >= limit)


def _clear_of_control(value: float, real: float, control: float) -> bool:
    """Always, where there is no control."""
    share = thresholds.IOU_ABOVE_CONTROL
    return not value < control + share * (real - control)


FIGURES = {
    "pose_iou": Figure(
        "pose IoU",
        "iou",
        mean("iou"),
        real=mean("iou_real"),
        control=mean("iou_shuffled"),
        control_is="shuffled masks",
        target=Target(f"≥ {thresholds.IOU_ABOVE_CONTROL:.0%} way to real", _clear_of_control),
        digits=3,
    ),
    "pose_iou_of_ceiling": Figure(
        "  / that of real photos",
        "iou",
        ratio("iou", "iou_real"),
        control=ratio("iou_shuffled", "iou_real"),
        control_is="shuffled masks",
        target=_at_least(thresholds.IOU_OF_CEILING),
        digits=3,
    ),
    "heading_median": Figure(
        "heading error, median °",
        "heading",
        median("heading"),
        real=median("heading_real"),
        control=median("heading_outline"),
        control_is="outline alone",
    ),
    "heading_reversed": Figure(
        "  wrong by > 90°",
        "heading",
        share_above("heading", REVERSED),
        real=share_above("heading_real", REVERSED),
        control=share_above("heading_outline", REVERSED),
        control_is="outline alone",
        target=Target(
            f"≤ real + {100 * thresholds.REVERSED_POINTS:g} points",
            lambda value, real, control: value <= real + thresholds.REVERSED_POINTS,
        ),
        percent=True,
    ),
    "background_psnr": Figure(
        "background PSNR, dB",
        "psnr",
        mean("psnr"),
        real=mean("psnr_real"),
        input="background",
        target=_at_least(thresholds.PSNR),
    ),
    "background_below_30": Figure(
        "  images under 30 dB",
        "psnr",
        share_below("psnr", thresholds.PSNR),
        real=share_below("psnr_real", thresholds.PSNR),
        input="background",
        percent=True,
    ),
    "colour_error": Figure(
        "colour error, ΔE a pixel",
        "colour",
        mean("colour"),
        control=mean("colour_flat"),
        control_is="flat true colour",
        input="appearance",
        target=Target("< flat", lambda value, real, control: value < control),
    ),
    "mean_colour_error": Figure(
        "  of the mean colour, ΔE",
        "mean_colour",
        mean("mean_colour"),
        control=mean("mean_colour_shuffled"),
        control_is="other appearance",
        input="appearance",
    ),
    "sharpness": Figure(
        "sharpness, levels a pixel",
        "sharpness",
        mean("sharpness"),
        real=mean("sharpness_real"),
        digits=2,
    ),
    "sharpness_of_real": Figure(
        "  / that of real photos",
        "sharpness",
        ratio("sharpness", "sharpness_real"),
        target=_at_least(thresholds.SHARPNESS_OF_REAL),
        digits=3,
    ),
    "nearest": Figure(
        "nearest training, levels",
        "nearest",
        mean("nearest"),
        real=mean("nearest_real"),
    ),
    "nearest_of_real": Figure(
        "  / that of real photos",
        "nearest",
        ratio("nearest", "nearest_real"),
        target=_at_least(thresholds.NEAREST_OF_REAL),
        digits=3,
    ),
}


def results(columns: Columns, seed: int | None = None) -> dict[str, Result]:
    """Every figure over these rows; with a seed also its interval."""
    found = {name: figure.result(columns) for name, figure in FIGURES.items()}
    if seed is None:
        return found
    measured = {name: FIGURES[name].value for name in found if found[name].value is not None}
    spans = intervals(measured, columns, seed)
    return {
        name: msgspec.structs.replace(
            result, low=_number(spans[name][0]), high=_number(spans[name][1])
        )
        if name in spans
        else result
        for name, result in found.items()
    }


def _reason(figure: Figure, columns: Columns) -> str:
    if figure.column in columns:
        poseless = figure.column == "heading" and np.isnan(columns["azimuth"]).all()
        return "no poses" if poseless else "no silhouette to measure"
    if figure.column == "nearest":
        return NO_TRAINING
    if figure.input != "mask":
        return f"the model takes no {figure.input}"
    return f"no judge: {'heading' if figure.column == 'heading' else 'segmenter'}"


def _no_control(figure: Figure, columns: Columns) -> str:
    if figure.column == "heading":
        return "no judge: outline"
    if f"{figure.column}_shuffled" in columns:
        return "no silhouette to measure"
    if len(columns["object"]) == 1:
        return "one image"
    if len(np.unique(columns["object"])) == 1:
        return "one object"
    return "one object in most images"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
