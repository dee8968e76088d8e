"""Figure 6: which models it shows, and what stands for similarity where I_sim is missing."""

from dataclasses import dataclass

import numpy as np

from posegen.experiments.results import Experiment, RowResult
from posegen.metrics.rows_table import heading
from posegen.metrics.scatter import SIMILARITY, Panel, panel
from posegen.metrics.values import IOU, ISIM

SURROGATE = "cosine_"
INSTEAD = (
    "I_sim is unavailable. This is a surrogate, which compares with nothing published: the cosine "
    "of other features of the photo and the generated image."
)


@dataclass(frozen=True)
class Similarity:
    """`name` of the axis; `instead` says so where it is not I_sim. Without `panels`, `missing`
    says why."""

    name: str
    panels: list[Panel]
    missing: str = ""
    instead: str = ""


def similarities(experiment: Experiment) -> Similarity:
    """Of the trained models: I_sim, or else a surrogate's cosine under its own name."""
    models = [each for each in experiment.results if each.inputs]
    column = _column(models)
    if column is None:
        return Similarity(
            SIMILARITY, [], "I_sim is unavailable, and no surrogate's cosine was taken"
        )
    objects = experiment.objects
    if objects is None:
        objects = np.arange(len(experiment.names))
    drawn = [panel(each.row.method, column, each.values, objects) for each in models]
    panels = [each for each in drawn if each is not None]
    missing = "" if panels else "no model has IoU"
    if column == ISIM:
        return Similarity(SIMILARITY, panels, missing)
    return Similarity(heading(column), panels, missing, INSTEAD)


def _column(models: list[RowResult]) -> str | None:
    names = dict.fromkeys(name for each in models for name in each.values if name != IOU)
    if ISIM in names:
        return ISIM
    return next((name for name in names if name.startswith(SURROGATE)), None)
