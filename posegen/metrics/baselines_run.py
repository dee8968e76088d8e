"""`posegen metrics baselines`: the rows of Tables 1 and 2 for a data set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posegen.data.dataset import open_dataset
from posegen.evaluation.judges import Judges
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.model import Model, open_model
from posegen.evaluation.report import claim_file
from posegen.evaluation.samples import Samples
from posegen.metrics.baselines import (
    Autoencoder,
    ClosestTraining,
    Generated,
    RandomRGB,
    RandomTraining,
    Source,
)
from posegen.metrics.distances import KID_SUBSET_SIZE
from posegen.metrics.looking import look
from posegen.metrics.opening import open_extractors
from posegen.metrics.progress import Batch, shown
from posegen.metrics.rows import Scorer
from posegen.metrics.rows_table import RowTable
from posegen.metrics.segmenter import SHIPPED, SegmenterChoice
from posegen_runtime.errors import PoseGenError


@dataclass(frozen=True)
class BaselineOptions:
    """Samples of `split` are what is asked for, those of train what oracles draw from. `samples`
    None: all. `image_size` None: the models' or else the data set's."""

    data: Path
    models: tuple[Path, ...] = ()
    autoencoder: Path | None = None
    split: str = "test"
    samples: int | None = None
    image_size: int | None = None
    segmenter: SegmenterChoice = SHIPPED
    weights: Path | None = None
    surrogate: bool = False
    subset_size: int = KID_SUBSET_SIZE
    csv: Path | None = None
    json: Path | None = None
    batch_size: int = 16
    seed: int = 0
    device: str = "auto"
    precision: str = "fp32"


def run_baselines(options: BaselineOptions) -> None:
    """Measure, print, write. Raises `PoseGenError` for unusable input."""
    extractors, notice = open_extractors(options.weights, options.surrogate, options.device)
    for file in (options.csv, options.json):
        if file is not None:
            claim_file(file)
    dataset = open_dataset(options.data)
    models = {path.name: _model(path, options) for path in options.models}
    if len(models) < len(options.models):
        raise PoseGenError("--model: two have one name; rename a file or folder")
    encoder = None if options.autoencoder is None else _autoencoder(options)
    size = _size(options, [*models.values(), *([encoder] if encoder else [])])
    size = size or dataset.description.image_size[0]
    samples = Samples(dataset, options.split, size, options.samples)
    train = Samples(dataset, "train", size)
    segmenter = options.segmenter.open(options.device)
    sources: list[Source] = [RandomRGB(size, options.seed)]
    sources += [Autoencoder(encoder)] if encoder else []
    sources += [
        RandomTraining(train, len(samples), options.seed),
        ClosestTraining(train, samples),
    ]
    sources += [
        Generated(name, Evaluator(model, Judges(), seed=options.seed))
        for name, model in models.items()
    ]
    photos = ((batch.photo, None) for batch in samples.batches(options.batch_size))
    scorer = Scorer(
        extractors=extractors,
        real=look(shown("real", photos, len(samples)), extractors).features,
        pairs=np.arange(len(samples)),
        objects=samples.object_id,
        subset_size=options.subset_size,
        seed=options.seed,
    )
    names = [sample.photo.relative_to(samples.root).as_posix() for sample in samples.samples]
    table = RowTable(names)
    for source in sources:
        batches = _batches(source, samples, options.batch_size)
        table.add(*scorer.score(source.name, look(batches, extractors, segmenter)))
    table.tell(notice, options.csv, options.json)


def _batches(source: Source, samples: Samples, batch_size: int) -> Iterator[Batch]:
    made = ((source.images(batch), batch.mask) for batch in samples.batches(batch_size))
    return shown(source.name, made, len(samples))


def _model(path: Path, options: BaselineOptions) -> Model:
    return open_model(path, options.device, None, options.precision)


def _autoencoder(options: BaselineOptions) -> Model:
    from posegen.evaluation.checkpoint_model import CheckpointModel

    assert options.autoencoder is not None
    return CheckpointModel(options.autoencoder, options.device)


def _size(options: BaselineOptions, models: list[Model]) -> int | None:
    sizes = {model.image_size for model in models}
    sizes |= {options.image_size} if options.image_size else set()
    if len(sizes) > 1:
        raise PoseGenError(
            f"images of {' and of '.join(map(str, sorted(sizes)))} px do not compare in one "
            "table; take models of one size, and --image-size of that or none"
        )
    return sizes.pop() if sizes else None
