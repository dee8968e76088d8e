"""Measure one row after the other, each on the same test samples."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from posegen.data.prepared import Pixels
from posegen.evaluation.model import Model
from posegen.evaluation.samples import Order, Samples
from posegen.experiments.judging import Eyes
from posegen.experiments.measured import (
    FOUND,
    IMAGES,
    SCHEMA,
    Measured,
    measured,
    read_measured,
    read_pictures,
    write_measured,
)
from posegen.metrics.baselines import Source
from posegen.metrics.estimate import Estimate
from posegen.metrics.looking import look
from posegen.metrics.progress import Batch, shown
from posegen.metrics.rows import UNAVAILABLE, Scorer
from posegen_runtime import __version__

UNASKED = "unconditional images answer to no pose and to no photo"


@dataclass(frozen=True)
class Candidate:
    """A row to be measured: `key` names its folder, `identity` tells whether its images would be
    the same again. `open` makes the source, which may take a while, `model` the model behind it
    where one takes masks. `paired` False: its images answer to no sample. `note`, `group` and
    `inputs` as in `results.RowResult`."""

    key: str
    title: str
    group: str
    identity: str
    open: Callable[[], Source]
    model: Callable[[], Model] | None = None
    inputs: tuple[str, ...] = ()
    paired: bool = True
    note: str = ""


class Bench:
    """The test `samples`, what looks at them, and which of them are `kept` as pictures."""

    def __init__(
        self, samples: Samples, eyes: Eyes, kept: int, subset_size: int, seed: int, at_once: int
    ) -> None:
        self._samples, self._eyes, self._at_once = samples, eyes, at_once
        self._subset_size, self._seed = subset_size, seed
        count = min(kept, len(samples))
        self.kept: Order = np.linspace(0, len(samples) - 1, count).round().astype(np.int64)
        self._scorer: Scorer | None = None

    def measure(self, candidate: Candidate, folder: Path) -> Measured:
        """What `folder` holds of the very same, else measured now and stored there."""
        of = self._identity(candidate)
        held = read_measured(folder, of)
        if held is not None:
            return held
        print(f"measuring {candidate.key}", flush=True)
        source = candidate.open()
        images: list[Pixels] = []
        segmenter = self._eyes.segmenter if candidate.paired else None
        made = shown(candidate.title, self._batches(source, images), len(self._samples))
        seen = look(made, self._eyes.extractors, segmenter)
        row, values = self._scorer_of(candidate.paired).score(candidate.title, seen)
        if not candidate.paired:
            row = msgspec.structs.replace(row, figures=_unasked(row.figures))
        pictures = np.concatenate(images)
        found = None if segmenter is None else segmenter.masks(pictures)
        content = measured(of, row, values)
        write_measured(folder, content, pictures, found)
        return content

    def pictures(self, folder: Path) -> tuple[Pixels | None, Pixels | None]:
        """The kept images of a measured row, and the silhouettes found in them."""
        return read_pictures(folder, IMAGES), read_pictures(folder, FOUND)

    def _batches(self, source: Source, images: list[Pixels]) -> Iterator[Batch]:
        """`images` gets those that are kept."""
        for batch in self._samples.batches(self._at_once):
            made = source.images(batch)
            images.append(made[np.isin(batch.rows, self.kept)])
            yield made, batch.mask

    def _scorer_of(self, paired: bool) -> Scorer:
        if self._scorer is None:
            samples = self._samples
            photos = ((batch.photo, None) for batch in samples.batches(self._at_once))
            self._scorer = Scorer(
                extractors=self._eyes.extractors,
                real=look(shown("real", photos, len(samples)), self._eyes.extractors).features,
                pairs=np.arange(len(samples)),
                objects=samples.object_id,
                subset_size=self._subset_size,
                seed=self._seed,
            )
        nothing = np.full(len(self._samples), -1)
        return self._scorer if paired else replace(self._scorer, pairs=nothing)

    def _identity(self, candidate: Candidate) -> str:
        parts = (
            SCHEMA,
            __version__,
            self._samples.description.sha256,
            self._samples.split,
            len(self._samples),
            self._samples.size,
            self.kept.tolist(),
            [extractor.name for extractor in self._eyes.extractors],
            self._eyes.identity,
            self._subset_size,
            self._seed,
            candidate.title,
            candidate.identity,
        )
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _unasked(figures: dict[str, Estimate]) -> dict[str, Estimate]:
    """Says why figures are missing that no weights would bring."""
    return {
        key: Estimate(value=None, missing=UNASKED)
        if figure.value is None and figure.missing != UNAVAILABLE
        else figure
        for key, figure in figures.items()
    }
