"""From folders of masks, appearances and backgrounds to calibration samples, batch by batch."""

import math
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np

from posegen_calibration.apart import SplitMasks, split_masks, split_photos
from posegen_calibration.pairing import Pairing, Sample
from posegen_calibration.samples import choose_described
from posegen_calibration.sampling import Sampling
from posegen_calibration.session import Feeds
from posegen_calibration.silhouettes import find_silhouettes
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs, find_inputs
from posegen_runtime.jobs import distinct_pairs
from posegen_runtime.options import RunOptions
from posegen_runtime.prepare import Preparer
from posegen_runtime.rows import Prepared

BATCH = 2
"""Images at a time: every activation of a batch is in memory at once."""

Tell = Callable[[str], None]


class SampleSet:
    """The samples chosen for a bundle, no mask in two of the three; see `split_masks`.

    `chosen`: to measure ranges on. `trial`: to choose layers by, which ranges do not know.
    `held_out`: for the proof, which knows nothing of either.
    """

    def __init__(
        self,
        inputs: list[str],
        prepare: Preparer,
        chosen: list[Sample],
        trial: list[Sample],
        held_out: list[Sample],
    ) -> None:
        self.chosen = chosen
        self.trial = trial
        self.held_out = held_out
        self._inputs = inputs
        self._prepare = prepare

    def batches(self, samples: Sequence[Sample], size: int = BATCH) -> Iterator[Feeds]:
        """Inputs of the generator by name, `size` samples at a time.

        Raises `PoseGenError` naming an appearance or background that cannot be read.
        """
        for start in range(0, len(samples), size):
            rows = [self._read(sample) for sample in samples[start : start + size]]
            yield {name: np.stack([row[name] for row in rows]) for name in self._inputs}

    def counts(self) -> dict[str, int]:
        """How many samples, and how many different masks and conditions they hold."""
        jobs = [sample.job for sample in self.chosen]
        counts = {
            "samples": len(jobs),
            "masks": len({(s.job.mask.name, s.object) for s in self.chosen}),
            "appearances": len({job.appearance.name for job in jobs if job.appearance}),
            "backgrounds": len({job.background.name for job in jobs if job.background}),
            "viewpoints": len({s.viewpoint for s in self.chosen if any(s.viewpoint)}),
        }
        return {name: count for name, count in counts.items() if count}

    def _read(self, sample: Sample) -> Feeds:
        for row in self._prepare(sample.job):
            if row.object != sample.object:
                continue
            if not isinstance(row, Prepared):
                raise PoseGenError(f"{row.reason}; remove or repair it")
            images = {"appearance": row.appearance, "background": row.background}
            viewpoint = np.array(sample.viewpoint, np.float32)
            held = {"mask": row.mask, "viewpoint": viewpoint, **images}
            return {name: array for name, array in held.items() if array is not None}
        raise PoseGenError(f"{sample.job.mask.path}: changed while it was read; start again")


def find_samples(bundle: Bundle, sampling: Sampling, tell: Tell) -> SampleSet:
    """Choose samples: silhouettes by area, position and heading, conditions by seed and name.

    `tell` gets a line on everything that a person should know about the choice. Raises
    `PoseGenError` when an input is missing, too few masks are usable, or they give too few samples.
    """
    for name in bundle.conditions:
        if getattr(sampling, name) is None:
            raise PoseGenError(
                f"--{name}: the model takes one, and ranges that hold for the bundle's one default "
                f"would hold for nothing else; name a folder of {name}s"
            )
    inputs = find_inputs(_run_options(bundle, sampling), bundle)
    tell(inputs.reading.explanation)
    silhouettes = find_silhouettes(bundle.image_size, sampling, inputs, tell)
    masks = split_masks(silhouettes, sampling.seed)
    judging, calibrating = _split_photos(inputs, masks, sampling.seed, tell)
    headings = [one.heading for one in masks.rest]
    features = [one.features for one in masks.rest]
    rows = choose_described(features, sampling.samples, sampling.seed, headings)
    pairs = min(inputs.per_mask, distinct_pairs(calibrating.appearances, calibrating.backgrounds))
    per_mask = min(math.ceil(sampling.samples / len(rows)), pairs)
    if len(rows) * per_mask < sampling.samples:
        apart = len(silhouettes) - len(masks.rest)
        raise PoseGenError(
            f"--masks {sampling.masks}: {len(rows)} masks ({apart} are kept apart) with "
            f"{pairs} pairs of conditions give {len(rows) * per_mask} samples, "
            f"{sampling.samples} are asked for; add masks or conditions, or lower --samples"
        )
    if per_mask > 1:
        tell(
            f"{len(rows)} masks are fewer than {sampling.samples} samples: each stands for up to "
            f"{per_mask}, with other conditions"
        )
    prepare = Preparer(bundle.image_size, inputs.reading, sampling.fit, {}, {})
    pair = Pairing(calibrating, sampling.seed, bundle.takes_viewpoint, tell)
    pair_apart = Pairing(judging, sampling.seed, bundle.takes_viewpoint, lambda line: None)
    return SampleSet(
        [spec.name for spec in bundle.manifest.inputs],
        prepare,
        pair([masks.rest[row] for row in rows], per_mask)[: sampling.samples],
        pair_apart(masks.trial, 1),
        pair_apart(masks.held_out, 1),
    )


def _split_photos(
    inputs: Inputs, masks: SplitMasks, seed: int, tell: Tell
) -> tuple[Inputs, Inputs]:
    """Those for the masks set apart, and those to calibrate on; `tell` gets what is set apart."""
    judging, calibrating, said = {}, {}, []
    for name in ("appearances", "backgrounds"):
        sources = getattr(inputs, name)
        judging[name], calibrating[name] = split_photos(sources, masks.folders, seed)
        if sources:
            own = len(judging[name]) if judging[name] != calibrating[name] else "none"
            said.append(f"{own} of {len(sources)} {name}")
    photos = f"; of their own: {', '.join(said)}" if said else ""
    tell(f"kept apart: {masks.explanation}{photos}")
    return (
        msgspec.structs.replace(inputs, **judging),
        msgspec.structs.replace(inputs, **calibrating),
    )


def _run_options(bundle: Bundle, sampling: Sampling) -> RunOptions:
    """The same options mean the same inputs as in a run, whose output would be the new bundle."""
    return RunOptions(
        masks=sampling.masks,
        out=bundle.root.resolve().with_name(f".{bundle.root.resolve().name}.part"),
        appearance=sampling.appearance,
        background=sampling.background,
        poses=sampling.poses,
        per_mask=sampling.samples,
        seed=sampling.seed,
        fit=sampling.fit,
        mask_values=sampling.mask_values,
        mask_channel=sampling.mask_channel,
        model_forward=sampling.model_forward,
        model_up=sampling.model_up,
    )
