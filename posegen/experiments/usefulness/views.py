"""From where each photo shows its object, without anyone's labels: a judge of outlines, trained on
the simulator's silhouettes, reads it off the photo's mask.

PoseGen can then be told front from rear. The elevation is not estimated: all views are given one.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posegen.data.roughen import roughen
from posegen.evaluation.heading import azimuth
from posegen.experiments.usefulness.arrays import read_npy, write_npy
from posegen.experiments.usefulness.config import Config
from posegen.experiments.usefulness.renders import Drawn, Pixels
from posegen.judges.augment import Views
from posegen.judges.config import JudgeConfig, JudgeKind
from posegen.judges.figures import answers
from posegen.judges.models import build_judge
from posegen.judges.training import learn
from posegen.training.progress import Reporter

ELEVATION = np.radians(17.5)
LONGER = 1.5
"""Steps of the outlines' judge, in those of the others: they cost it little."""


def level(azimuths: NDArray[np.float64]) -> NDArray[np.float32]:
    """Azimuths [N] in radians → viewpoints float32 [N, 3] at `ELEVATION`."""
    flat = np.stack([np.cos(azimuths), np.sin(azimuths), np.full_like(azimuths, 0)], 1)
    up = np.array([0, 0, np.sin(ELEVATION)])
    return (flat * np.cos(ELEVATION) + up).astype(np.float32)


def estimated(config: Config, sim: Drawn, masks: Pixels, folder: Path) -> NDArray[np.float64]:
    """The azimuth in radians [M] that each of `masks` [M, S, S] shows, read by a judge that has
    learnt half of `sim`'s silhouettes as they are and half as rough as a segmenter's."""
    file = folder / "azimuth.npy"
    if not file.exists():
        rough = sim.mask.copy()
        for number in range(0, len(sim), 2):
            rough[number] = roughen(
                rough[number], np.random.default_rng([config.seed, 101, number])
            )
        learning = JudgeConfig(
            kind=JudgeKind.OUTLINE,
            image_size=config.image_size,
            steps=round(LONGER * config.steps),
            batch_size=2 * config.batch_size,
            seed=config.seed,
        )
        torch.manual_seed(config.seed)
        judge = build_judge(JudgeKind.OUTLINE, config.image_size)
        folder.mkdir(parents=True, exist_ok=True)
        reporter = Reporter(folder, 0, learning.steps, True)
        reporter.say("headings of the photos, from outlines")
        with reporter.running():
            training = Views(sim.image, rough, azimuth(sim.viewpoint))
            learn(judge, training, learning, torch.device("cpu"), reporter)
        blank = np.zeros((*masks.shape, 3), np.uint8)
        said = answers(judge.eval(), Views(blank, masks, np.zeros(len(masks))))
        found = np.arctan2(said[:, 1], said[:, 0]).astype(np.float64)
        write_npy(file, found)
    return read_npy(file).astype(np.float64)
