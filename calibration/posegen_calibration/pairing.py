"""Which conditions go with a silhouette, by seed and name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from posegen_calibration.silhouettes import FoundSilhouette
from posegen_runtime.inputs import Inputs
from posegen_runtime.jobs import Job, plan
from posegen_runtime.poses import Three
from posegen_runtime.viewpoints import UNKNOWN

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """One input of the generator: a silhouette of a mask file with its conditions."""

    job: Job
    object: str
    """Which silhouette, where the file holds several."""
    viewpoint: Three


class Pairing:
    """Gives silhouettes their conditions, and their viewpoints where the model takes one.

    With poses every fourth sample is not told its viewpoint. Without, every second is told one that
    is drawn: the model will meet both.
    """

    def __init__(self, inputs: Inputs, seed: int, takes_viewpoint: bool, tell: Tell) -> None:
        self._inputs = inputs
        self._seed = seed
        self._takes_viewpoint = takes_viewpoint
        if takes_viewpoint and not inputs.viewpoints:
            tell("no --poses: every second sample is told a viewpoint drawn by the seed")

    def __call__(self, silhouettes: Sequence[FoundSilhouette], per_mask: int) -> list[Sample]:
        """`per_mask` samples of each, the first of all before the second of any."""
        masks = list({one.source.name: one.source for one in silhouettes}.values())
        inputs = self._inputs
        planned: dict[str, list[Job]] = {}
        for job in plan(masks, inputs.appearances, inputs.backgrounds, per_mask, self._seed):
            planned.setdefault(job.mask.name, []).append(job)
        order = np.random.default_rng([self._seed, 2]).permutation(len(silhouettes))
        drawn = self._drawn_viewpoints(len(silhouettes) * per_mask)
        samples: list[Sample] = []
        for variation in range(per_mask):
            for row in order:
                one = silhouettes[row]
                viewpoint = self._viewpoint(one.source.name, len(samples), drawn)
                samples.append(Sample(planned[one.source.name][variation], one.object, viewpoint))
        return samples

    def _viewpoint(self, name: str, number: int, drawn: list[Three]) -> Three:
        known = self._inputs.viewpoints
        if not self._takes_viewpoint:
            return UNKNOWN
        if known:
            return UNKNOWN if number % 4 == 3 else known.get(name, UNKNOWN)
        return drawn[number] if number % 2 else UNKNOWN

    def _drawn_viewpoints(self, count: int) -> list[Three]:
        """Around the object, from its own height to 30° above."""
        generator = np.random.default_rng([self._seed, 3])
        azimuth = generator.uniform(0, 2 * np.pi, count)
        height = generator.uniform(0, np.pi / 6, count)
        x, y, z = np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height)
        return [(float(a), float(b), float(c)) for a, b, c in zip(x, y, z, strict=True)]
