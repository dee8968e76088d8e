"""A contact sheet of an evaluation: what was asked for, what was made, what is real."""

import cv2
import numpy as np

from posegen.data.prepared import Pixels
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.samples import Samples
from posegen.training.samples import picture_grid

COLUMNS = 10


def contact_sheet(evaluator: Evaluator, samples: Samples) -> Pixels:
    """RGB uint8, a column for each of `COLUMNS` samples, evenly spaced. Rows: mask, appearance,
    background (those that the model takes), generated image, photo."""
    count = min(COLUMNS, len(samples))
    batch = samples.read(np.linspace(0, len(samples) - 1, count).round().astype(np.int64))
    asked = {
        "mask": np.stack([cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB) for mask in batch.mask]),
        "appearance": batch.appearance,
        "background": batch.background,
    }
    shown = [pixels for name, pixels in asked.items() if name in evaluator.model.inputs]
    return picture_grid([*map(np.asarray, shown), evaluator.generate(batch), batch.photo])
