"""An experiment whose pictures and values are known beforehand."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from posegen.experiments.results import Experiment, RowResult, Shown, Table
from posegen.experiments.rows import ORACLES, OURS, PAPER
from posegen.metrics.estimate import Estimate
from posegen.metrics.rows import GENUINE, UNAVAILABLE, Row
from posegen.metrics.values import IOU, ISIM, Values

SIZE, SHOWN, IMAGES = 32, 10, 20
NAMES = [f"test/{index:03d}.png" for index in range(IMAGES)]
CONDITIONS = ("mask", "appearance", "background")
FURTHER = Table("Further", ["", "a < b"], [["Pose", "0.4|5"], ["real", "-"]], "Some & text.")
KINDS = {
    "random": ("Baseline: random RGB", ORACLES, ()),
    "autoencoder": ("Oracle 1: autoencoder", PAPER, ("appearance",)),
    "unconditional": ("Unconditional", PAPER, ()),
    "pose": ("Pose", PAPER, ("mask",)),
    "ours": ("Ours <b> | $x$", OURS, CONDITIONS),
}


def small_experiment(similarity: str = ISIM, **changes: object) -> Experiment:
    """Rows of all kinds over `IMAGES` images, of which every second is shown. All have values but
    the unconditional one, which has no IoU. `changes` replace fields."""
    results = [_result(index, key, similarity) for index, key in enumerate(KINDS)]
    experiment = Experiment(
        title="Small & quick",
        settings={"Steps": "3 | 4", "Seed": "0"},
        notices=["FID is unavailable: no weights <here>"],
        names=NAMES,
        results=results,
        shown=small_shown(),
        objects=np.arange(IMAGES) // 2,
        tables=[
            Table("Further", ["", "a < b"], [["Pose", "0.4|5"], ["real", "-"]], "Some & text.")
        ],
    )
    return replace(experiment, **changes)  # type: ignore[arg-type]


def small_shown() -> Shown:
    """Image `i` of each row is noise of its own in a box, the mask, and grey around it."""
    generator = np.random.default_rng(0)
    masks = np.zeros((SHOWN, SIZE, SIZE), np.uint8)
    masks[:, 8:24, 6:26] = 255

    def pictures() -> np.ndarray:
        noise = generator.integers(0, 256, (SHOWN, SIZE, SIZE, 3), np.uint8)
        return np.where(masks[..., None] > 0, noise, 90).astype(np.uint8)

    return Shown(
        names=NAMES[::2],
        photos=pictures(),
        masks=masks,
        appearances=pictures(),
        backgrounds=pictures(),
        images={key: pictures() for key in KINDS},
        found={"ours": masks},
    )


def _result(index: int, key: str, similarity: str) -> RowResult:
    method, group, inputs = KINDS[key]
    generator = np.random.default_rng(index)
    values: dict[str, Values] = {similarity: generator.uniform(0.5, 0.9, IMAGES)}
    if key != "unconditional":
        values[IOU] = np.where(generator.random(IMAGES) < 0.3, 0, generator.random(IMAGES))
    note = f"best at step {index}" if inputs else ""
    return RowResult(key, _row(method, values), values, group, inputs, note)


def _row(method: str, values: Mapping[str, Values]) -> Row:
    figures = {key: Estimate(value=None, missing=UNAVAILABLE) for key in GENUINE}
    figures[IOU] = Estimate(value=None, missing="no masks")
    for key, column in values.items():
        mean = float(column.mean())
        figures[key] = Estimate(value=mean, low=mean - 0.01, high=mean + 0.01)
    return Row(method=method, images=IMAGES, figures=figures)
