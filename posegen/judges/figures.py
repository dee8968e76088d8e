"""How good a judge is on renders that it never saw, clean and damaged.

segmenter: `iou`, the mean, and `iou_p05`, the 5th percentile. heading, outline: `median_deg` and
`share_over_90` of the absolute error. The damaged renders' figures end in ``_degraded``.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from posegen.evaluation.heading import heading_error
from posegen.evaluation.pose import iou
from posegen.judges.augment import Views, degrade
from posegen.judges.models import Judge, Outline, Segmenter, judge_input

_PIECE = 64


def measure(judge: Judge, views: Views) -> dict[str, float]:
    """Figures over `views`; `judge` is in eval mode, on the CPU."""
    figures = _figures(judge, views)
    if isinstance(judge, Outline):
        return figures
    generator = np.random.default_rng(0)
    others = np.roll(views.mask, 1, axis=0)
    damaged = [
        degrade(image, mask, other, generator)
        for image, mask, other in zip(views.image, views.mask, others, strict=True)
    ]
    degraded = _figures(judge, Views(np.stack(damaged), views.mask, views.azimuth))
    return figures | {f"{name}_degraded": value for name, value in degraded.items()}


@torch.no_grad()
def answers(judge: Judge, views: Views) -> NDArray[np.float32]:
    """What the judge says, as its network returns it."""
    pieces = []
    for start in range(0, len(views), _PIECE):
        piece = views.chosen(np.arange(start, min(start + _PIECE, len(views))))
        pieces.append(judge(judge_input(judge, piece.image, piece.mask)).numpy())
    return np.concatenate(pieces)


def _figures(judge: Judge, views: Views) -> dict[str, float]:
    said = answers(judge, views)
    if isinstance(judge, Segmenter):
        values = iou(said[:, 0] > 0, views.mask > 127)
        return {"iou": float(np.nanmean(values)), "iou_p05": float(np.nanpercentile(values, 5))}
    errors = heading_error(np.arctan2(said[:, 1], said[:, 0]).astype(np.float64), views.azimuth)
    return {
        "median_deg": float(np.median(errors)),
        "share_over_90": float((errors > 90).mean()),
    }
