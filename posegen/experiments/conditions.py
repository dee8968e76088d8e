"""Which conditions a model keeps: figures of `posegen evaluate`, a row a model that takes masks.

The paper's tables do not say whether the background stays, the appearance arrives, or the object
faces the right way.
"""

from collections.abc import Sequence

import msgspec

from posegen.evaluation.figures import FIGURES, Result
from posegen.experiments.results import Table

SHOWN = {
    "pose_iou_of_ceiling": "pose IoU / real (shuffled masks)",
    "heading_reversed": "heading wrong by > 90°",
    "background_psnr": "background PSNR, dB",
    "colour_error": "colour error, ΔE a pixel",
    "mean_colour_error": "of the mean colour (other appearance)",
    "sharpness_of_real": "sharpness / real",
}
CONTROL = "Control: outline alone, flat colour"
OWN_CONTROL = ("pose_iou_of_ceiling", "mean_colour_error")
"""Each model has its own: a generator that ignores its mask, or its appearance, scores that."""
NONE = "-"


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Of one model. `of`: hash of all that the figures follow from."""

    of: str
    method: str
    figures: dict[str, Result]


def conditions_table(found: Sequence[Conditions]) -> Table:
    """A line a model, then the real photos and the controls, which are those of all."""
    first = {name: _measured(name, found) for name in SHOWN}
    real = [None if each is None else each.real for each in first.values()]
    control = [
        None if each is None or name in OWN_CONTROL else each.control
        for name, each in first.items()
    ]
    return Table(
        title="Which conditions are kept",
        headings=["Method", *SHOWN.values()],
        rows=[
            *(
                [each.method, *(_beside(name, each.figures[name]) for name in SHOWN)]
                for each in found
            ),
            ["Real photos", *map(_cell, SHOWN, real)],
            [CONTROL, *map(_cell, SHOWN, control)],
        ],
        text="Figures of posegen evaluate, each model's own control in brackets.",
    )


def _measured(name: str, found: Sequence[Conditions]) -> Result | None:
    figures = (each.figures[name] for each in found)
    return next((figure for figure in figures if figure.value is not None), None)


def _model(found: Conditions) -> list[str]:
    return [found.method, *(_beside(name, found.figures[name]) for name in SHOWN)]


def _beside(name: str, figure: Result) -> str:
    cell = _cell(name, figure.value)
    if name not in OWN_CONTROL or figure.control is None:
        return cell
    return f"{cell} ({_cell(name, figure.control)})"


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return NONE
    figure = FIGURES[name]
    return f"{value:.{figure.digits}%}" if figure.percent else f"{value:.{figure.digits}f}"
