"""From folders of masks, appearances and backgrounds to calibration samples, batch by batch."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from posegen_calibration.samples import choose_described, describe
from posegen_calibration.session import Feeds
from posegen_runtime.bundle import Bundle, sha256_of
from posegen_runtime.choices import Axis, Fit, MaskChannel
from posegen_runtime.errors import PoseGenError
from posegen_runtime.geometry import place
from posegen_runtime.inputs import Inputs, find_inputs
from posegen_runtime.jobs import Job, Source, find_images, plan
from posegen_runtime.options import RunOptions
from posegen_runtime.poses import Three
from posegen_runtime.prepare import Preparer
from posegen_runtime.rows import Prepared
from posegen_runtime.viewpoints import UNKNOWN, of_poses

MIN_MASKS = 8
"""Different silhouettes; below that there is nothing to hold out and nothing to stratify."""
HELD_OUT = 64
HELD_OUT_SHARE = 1 / 4
"""At most; of few masks, most are needed to calibrate."""
MAX_UNUSABLE = 0.1
"""Share of mask files that may be unreadable or empty."""
BATCH = 2
"""Images at a time: every activation of a batch is in memory at once."""
SHOWN = 5
"""Unusable files that are named."""

PATHS = ("masks", "appearance", "background", "poses")
"""Options of `Sampling` that say where data lie, not how it is used."""

Tell = Callable[[str], None]


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """What to calibrate on, under the names of the command's options."""

    masks: Path
    appearance: Path | None = None
    background: Path | None = None
    poses: Path | None = None
    samples: int = 512
    seed: int = 0
    fit: Fit = Fit.AUTO
    mask_values: str = "auto"
    mask_channel: MaskChannel = MaskChannel.AUTO
    model_forward: Axis = Axis.X
    model_up: Axis = Axis.Z


@dataclass(frozen=True)
class Sample:
    """One input of the generator: a silhouette of a mask file with its conditions."""

    job: Job
    object: str
    """Which silhouette, where the file holds several."""
    viewpoint: Three


class SampleSet:
    """The samples chosen for a bundle. `held_out` shares no mask with `chosen`."""

    def __init__(
        self, inputs: list[str], prepare: Preparer, chosen: list[Sample], held_out: list[Sample]
    ) -> None:
        self.chosen = chosen
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
    silhouettes = _silhouettes(bundle, sampling, inputs, tell)
    order = np.random.default_rng([sampling.seed, 1]).permutation(len(silhouettes))
    reserved = min(HELD_OUT, int(len(silhouettes) * HELD_OUT_SHARE))
    apart = [silhouettes[i] for i in sorted(order[:reserved])]
    rest = [silhouettes[i] for i in sorted(order[reserved:])]
    headings = [one.heading for one in rest]
    features = [one.features for one in rest]
    rows = choose_described(features, sampling.samples, sampling.seed, headings)
    per_mask = min(math.ceil(sampling.samples / len(rows)), inputs.per_mask)
    if len(rows) * per_mask < sampling.samples:
        raise PoseGenError(
            f"--masks {sampling.masks}: {len(rows)} masks (after {reserved} held out) with "
            f"{inputs.per_mask} pairs of conditions give {len(rows) * per_mask} samples, "
            f"{sampling.samples} are asked for; add masks or conditions, or lower --samples"
        )
    if per_mask > 1:
        tell(
            f"{len(rows)} masks are fewer than {sampling.samples} samples: each stands for up to "
            f"{per_mask}, with other conditions"
        )
    prepare = Preparer(bundle.image_size, inputs.reading, sampling.fit, {}, {})
    pair = _Pairing(inputs, sampling, bundle.takes_viewpoint, tell)
    return SampleSet(
        [spec.name for spec in bundle.manifest.inputs],
        prepare,
        pair([rest[row] for row in rows], per_mask)[: sampling.samples],
        pair(apart, 1),
    )


def data_hashes(sampling: Sampling) -> dict[str, str]:
    """sha256 of every input folder or file, by option: names and contents, not where they lie."""
    hashes = {}
    for name in ("masks", "appearance", "background"):
        if (path := getattr(sampling, name)) is not None:
            hashes[name] = _hash((s.name, s.path) for s in find_images(path, f"--{name}"))
    if (poses := sampling.poses) is not None:
        files = sorted(poses.glob("scene_*.json")) if poses.is_dir() else [poses]
        hashes["poses"] = _hash((file.name, file) for file in files)
    return hashes


def _hash(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Silhouette:
    source: Source
    object: str
    features: tuple[float, float, float]
    heading: float | None


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


def _silhouettes(
    bundle: Bundle, sampling: Sampling, inputs: Inputs, tell: Tell
) -> list[_Silhouette]:
    """Every usable silhouette; each mask is read once and only what describes it is kept."""
    azimuths = {
        name: math.atan2(y, x)
        for name, (x, y, _) in of_poses(
            inputs.poses, sampling.model_forward, sampling.model_up
        ).items()
    }
    found: list[_Silhouette] = []
    unusable: list[str] = []
    sizes: Counter[tuple[int, int]] = Counter()
    for source in inputs.masks:
        try:
            for one in inputs.reading.silhouettes(source.path):
                placement = place(one.mask, bundle.image_size, sampling.fit)
                features = describe(placement.mask(one.mask))
                name = one.name_suffix.lstrip("_")
                found.append(_Silhouette(source, name, features, azimuths.get(source.name)))
                sizes[placement.source_size] += 1
        except PoseGenError as error:
            reason = str(error).removeprefix(f"{source.path}: ")
            unusable.append(f"{source.name}: {reason}")
    _check_usable(sampling, len(inputs.masks), len(found), unusable, tell)
    height, width = bundle.image_size
    others = sum(count for size, count in sizes.items() if size != (height, width))
    if others:
        tell(
            f"{others} of {len(found)} masks have other sizes than the model's {width}×{height}: "
            f"they are placed by --fit {sampling.fit.value}, as in a run"
        )
    return found


def _check_usable(
    sampling: Sampling, files: int, found: int, unusable: list[str], tell: Tell
) -> None:
    if len(unusable) > MAX_UNUSABLE * files:
        raise PoseGenError(
            f"--masks {sampling.masks}: {len(unusable)} of {files} masks cannot be used, such as "
            f"{unusable[0]}; repair or remove them"
        )
    for line in unusable[:SHOWN]:
        tell(f"left out: {line}")
    if len(unusable) > SHOWN:
        tell(f"left out: {len(unusable) - SHOWN} more masks")
    if found < MIN_MASKS:
        raise PoseGenError(
            f"--masks {sampling.masks}: {found} masks are too few to calibrate on; "
            f"at least {MIN_MASKS} are needed, and hundreds are better"
        )


class _Pairing:
    """Gives silhouettes their conditions, and their viewpoints where the model takes one.

    With poses every fourth sample is not told its viewpoint. Without, every second is told one that
    is drawn: the model will meet both.
    """

    def __init__(
        self, inputs: Inputs, sampling: Sampling, takes_viewpoint: bool, tell: Tell
    ) -> None:
        self._inputs = inputs
        self._seed = sampling.seed
        self._takes_viewpoint = takes_viewpoint
        if takes_viewpoint and not inputs.viewpoints:
            tell("no --poses: every second sample is told a viewpoint drawn by the seed")

    def __call__(self, silhouettes: Sequence[_Silhouette], per_mask: int) -> list[Sample]:
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
