"""Figures 3 and 4: photos beside what the autoencoder makes of them, and masks beside what each
model makes of them."""

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen.experiments.report.strips import Strip, strip
from posegen.experiments.results import Experiment, RowResult
from posegen.experiments.rows import ORACLES
from posegen.metrics.rows_table import NONE, cell
from posegen.metrics.values import IOU

COLUMNS = 8
INPUTS = ("mask", "appearance", "background")


def autoencoder_samples(experiment: Experiment) -> list[Strip]:
    """Photos, and the images of rows that take no mask: the autoencoder's, and of the unconditional
    model, which no photo belongs to. Empty without the autoencoder's."""
    rows = [each for each in _shown(experiment) if _takes_no_mask(each)]
    if not any(each.inputs for each in rows):
        return []
    photos = _strip(experiment, "Real photos", "", experiment.shown.photos)
    return [photos, *(_images(experiment, row) for row in rows)]


def mask_samples(experiment: Experiment) -> list[Strip]:
    """The inputs, the images of every row that takes a mask, and the photos. Empty without rows."""
    rows = [each for each in _shown(experiment) if each.takes_mask]
    if not rows:
        return []
    shown = experiment.shown
    given = dict(zip(INPUTS, (shown.masks, shown.appearances, shown.backgrounds), strict=True))
    taken = {name for row in rows for name in row.inputs}
    asked = [
        _strip(experiment, name.capitalize(), "input", pictures)
        for name, pictures in given.items()
        if name in taken
    ]
    photos = _strip(experiment, "Real photo", "of that pose", shown.photos)
    return [*asked, *(_images(experiment, row) for row in rows), photos]


def _takes_no_mask(result: RowResult) -> bool:
    return not result.takes_mask and (bool(result.inputs) or result.group != ORACLES)


def _shown(experiment: Experiment) -> list[RowResult]:
    return [each for each in experiment.results if each.key in experiment.shown.images]


def _images(experiment: Experiment, result: RowResult) -> Strip:
    inputs = [name for name in INPUTS if name in result.inputs]
    words = [f"from {' + '.join(inputs)}" if inputs else "from noise alone"]
    iou = cell(result.row, IOU)[0]
    words += [] if iou == NONE else [f"IoU {iou} over all images"]
    pictures = experiment.shown.images[result.key]
    return _strip(experiment, result.row.method, ", ".join(words), pictures)


def _strip(experiment: Experiment, label: str, caption: str, pictures: Pixels) -> Strip:
    columns = _columns(len(experiment.shown.names))
    names = tuple(experiment.shown.names[column] for column in columns)
    return strip(label, caption, pictures[columns], names)


def _columns(shown: int) -> NDArray[np.int64]:
    """Evenly spaced, so that not all show one object."""
    return np.linspace(0, shown - 1, min(COLUMNS, shown)).round().astype(np.int64)
