"""The rows to be measured: baseline and oracles, what was trained, and what else was given."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from posegen.checkpoint import BEST, LAST, load_checkpoint
from posegen.config import Variant
from posegen.data.dataset import Dataset
from posegen.evaluation.checkpoint_model import CheckpointModel
from posegen.evaluation.judges import Judges
from posegen.evaluation.measure import Evaluator
from posegen.evaluation.model import Model, open_model
from posegen.evaluation.samples import Samples
from posegen.experiments.options import TablesOptions
from posegen.experiments.rows import GIVEN, ORACLES, ROWS, TrainedRow
from posegen.experiments.scoring import Candidate
from posegen.experiments.sources import source_of
from posegen.metrics.baselines import ClosestTraining, Generated, RandomRGB, RandomTraining, Source
from posegen.training.evaluation import SCORE
from posegen_runtime.bundle import MANIFEST
from posegen_runtime.errors import PoseGenError

_TITLES = {row.title for row in ROWS.values()}


class Candidates:
    """In the order of the paper's tables."""

    def __init__(self, options: TablesOptions, dataset: Dataset, samples: Samples) -> None:
        self._options, self._dataset, self._samples = options, dataset, samples

    def all(self, rows: list[TrainedRow], choice: str, given: list[Candidate]) -> list[Candidate]:
        """`choice` says what the best checkpoints of `rows` were chosen by."""
        trained = [self._trained(row, choice) for row in rows]
        oracles = [each for each in trained if each.group == ORACLES]
        others = [each for each in trained if each.group != ORACLES]
        noise, *drawn = self._untrained()
        return [noise, *oracles, *drawn, *others, *given]

    @cached_property
    def _train(self) -> Samples:
        return Samples(self._dataset, "train", self._options.image_size)

    def _untrained(self) -> list[Candidate]:
        count, seed, size = len(self._samples), self._options.seed, self._options.image_size
        sources: dict[str, tuple[str, Callable[[], Source]]] = {
            "random-rgb": (RandomRGB.name, lambda: RandomRGB(size, seed)),
            "random-training": (
                RandomTraining.name,
                lambda: RandomTraining(self._train, count, seed),
            ),
            "closest-training": (
                ClosestTraining.name,
                lambda: ClosestTraining(self._train, self._samples),
            ),
        }
        return [
            Candidate(key=key, title=title, group=ORACLES, identity=key, open=make)
            for key, (title, make) in sources.items()
        ]

    def _trained(self, row: TrainedRow, choice: str) -> Candidate:
        folder = self._options.folder(row.key)
        checkpoint = load_checkpoint(folder)
        info = checkpoint.info
        score = info.metrics.get(SCORE)
        device, seed = self._options.device, self._options.seed
        chosen = "" if score is None else f", validation {score:.3f} (mean of {choice})"
        return Candidate(
            key=row.key,
            title=row.title,
            group=row.group,
            identity=checkpoint.sha256,
            open=lambda: source_of(row.title, CheckpointModel(folder, device), seed),
            model=(lambda: CheckpointModel(folder, device)) if row.variant.uses_mask else None,
            inputs=info.train_config.model.inputs,
            paired=row.variant is not Variant.UNCONDITIONAL,
            note=f"step {info.step} of {self._options.steps}{chosen}",
        )


def given_models(options: TablesOptions) -> list[Candidate]:
    """The models of `options.given`, bundles in each of the precisions asked for.

    Raises `PoseGenError` for what cannot be opened, and for images of another size.
    """
    found: dict[str, Candidate] = {}
    for path in options.given:
        bundle = (path / MANIFEST).is_file()
        for precision in options.given_precisions if bundle else ("fp32",):
            model = open_model(path, options.device, None, precision)
            if model.image_size != options.image_size:
                raise PoseGenError(
                    f"{path}: makes images of {model.image_size} px, the rows are of "
                    f"{options.image_size}; leave it out, or give another --out and --image-size"
                )
            each = _given(path, model, precision if bundle else "", options.seed)
            if each.key in found or each.title in _TITLES:
                raise PoseGenError(f"{path}: another row is named so; rename the file or folder")
            found[each.key] = each
    return list(found.values())


def _given(path: Path, model: Model, precision: str, seed: int) -> Candidate:
    whole = path.absolute()
    named = whole.parent.name if whole.name in (BEST, LAST) else whole.name
    name = " ".join(part for part in (named, precision) if part)
    return Candidate(
        key=f"given-{name.replace(' ', '-')}",
        title=name,
        group=GIVEN,
        identity=hashlib.sha256(f"{model.sha256} {model.label}".encode()).hexdigest(),
        open=lambda: Generated(name, Evaluator(model, Judges(), seed=seed)),
        model=lambda: model,
        inputs=model.inputs,
        note=model.label,
    )
