"""`posegen evaluate`: put the parts together, print and write what was found."""

from dataclasses import dataclass, replace
from pathlib import Path

from posegen.data.dataset import Dataset, open_dataset
from posegen.evaluation.bins import Bin, binned
from posegen.evaluation.copying import TrainingPhotos, training_photos
from posegen.evaluation.figures import FIGURES, NO_TRAINING, Result, results
from posegen.evaluation.judges import Judges, MaskJudge, open_judges
from posegen.evaluation.measure import Columns, Evaluator
from posegen.evaluation.model import open_model
from posegen.evaluation.report import Report, claim_file, write_csv, write_json
from posegen.evaluation.samples import Samples
from posegen.evaluation.table import print_bins, print_figures
from posegen.evaluation.verdict import Verdict, verdict
from posegen.watching import watched
from posegen_runtime import __version__
from posegen_runtime.console import EXIT_OK, EXIT_SOME_FAILED

TRAIN = "train"


@dataclass(frozen=True)
class EvaluateOptions:
    """What is evaluated on what, and where the findings go (None: nowhere but the terminal).

    `samples` None takes all of `split`; `judges` None those that ship; `training` that many
    training photos to look for copies of, 0 none; `threads` None what each library prefers.
    """

    model: Path
    data: Path
    split: str = "test"
    samples: int | None = None
    judges: Path | None = None
    viewpoint: bool = True
    seed: int = 0
    json: Path | None = None
    csv: Path | None = None
    sheet: Path | None = None
    report: Path | None = None
    training: int = 5000
    bins: bool = False
    gate: bool = False
    batch_size: int = 16
    device: str = "auto"
    precision: str = "fp32"
    threads: int | None = None


def run_evaluation(options: EvaluateOptions) -> int:
    """Evaluate, print, write. Returns 0; with `gate` 1 when a target is missed or was not measured.

    Raises `PoseGenError` for unusable input, before anything is generated.
    """
    dataset = open_dataset(options.data)
    model = open_model(options.model, options.device, options.threads, options.precision)
    threads = options.threads or 1
    samples = Samples(dataset, options.split, model.image_size, options.samples, threads)
    judges = open_judges(options.judges, threads)
    for file in (options.json, options.csv, options.sheet, options.report):
        if file is not None:
            claim_file(file)
    trained = None if options.judges else _own_segmenter(judges, samples, dataset)
    judges = replace(judges, segmenter=trained or judges.segmenter)
    training = _training(dataset, options, model.image_size, threads)
    evaluator = Evaluator(model, judges, options.viewpoint, options.seed, training)
    columns = _measured(evaluator, samples, options.batch_size)
    figures, bins = results(columns, options.seed), binned(columns)
    judged, title = verdict(figures, _given(evaluator)), _title(evaluator, samples, options.model)
    if trained is not None:
        title += ", silhouettes found by a segmenter trained on its own photos"
    print_figures(figures, title)
    if options.bins:
        print_bins(bins)
    print(f"verdict: {judged.line}")
    report = _report(evaluator, samples, trained is not None, judged, figures, bins)
    if options.json is not None:
        write_json(options.json, report)
    if options.csv is not None:
        write_csv(options.csv, samples, columns)
    if options.sheet is not None:
        _write_sheet(options.sheet, evaluator, samples)
    if options.report is not None:
        from posegen.evaluation.page import write_page

        write_page(options.report, title, report, evaluator, samples, columns)
    return _gate(figures, model.inputs) if options.gate else EXIT_OK


def _own_segmenter(judges: Judges, samples: Samples, dataset: Dataset) -> MaskJudge | None:
    """None where the one at hand knows the objects, or none can be trained."""
    from posegen.evaluation.own_segmenter import knows, own_segmenter

    if judges.segmenter is None or knows(judges.segmenter, samples):
        return None
    return own_segmenter(dataset)


def _training(
    dataset: Dataset, options: EvaluateOptions, size: int, threads: int
) -> TrainingPhotos | None:
    """None where the split is that of training itself, or the data set holds none."""
    if options.training == 0 or options.split == TRAIN or not dataset.samples(TRAIN):
        return None
    samples = Samples(dataset, TRAIN, size, options.training, threads)
    with watched("reading training photos", len(samples)) as done:
        return training_photos(samples, done)


def _measured(evaluator: Evaluator, samples: Samples, batch_size: int) -> Columns:
    with watched("generating and judging", len(samples)) as done:
        return evaluator.measure(samples, batch_size, done)


def _title(evaluator: Evaluator, samples: Samples, path: Path) -> str:
    withheld = "" if _given(evaluator) == evaluator.model.inputs else ", viewpoint withheld"
    return (
        f"{path.name} ({evaluator.model.label}{withheld}) on {samples.description.name}, "
        f"{samples.split}: {len(samples)} images of {samples.objects} objects"
    )


def _given(evaluator: Evaluator) -> tuple[str, ...]:
    """The inputs that the model is really given."""
    inputs = evaluator.model.inputs
    return tuple(name for name in inputs if name != "viewpoint" or evaluator.viewpoint)


def _report(
    evaluator: Evaluator,
    samples: Samples,
    own_segmenter: bool,
    judged: Verdict,
    figures: dict[str, Result],
    bins: dict[str, list[Bin]],
) -> Report:
    model = evaluator.model
    return Report(
        model=model.label,
        model_sha256=model.sha256,
        inputs=_given(evaluator),
        dataset={
            "name": samples.description.name,
            "sha256": samples.description.sha256,
            "split": samples.split,
            "images": len(samples),
            "objects": samples.objects,
        },
        own_segmenter=own_segmenter,
        seed=evaluator.seed,
        version=__version__,
        verdict=judged,
        figures=figures,
        bins=bins,
    )


def _write_sheet(path: Path, evaluator: Evaluator, samples: Samples) -> None:
    from posegen.evaluation.sheet import contact_sheet
    from posegen.training.samples import write_grid

    write_grid(path, contact_sheet(evaluator, samples))


def _gate(figures: dict[str, Result], inputs: tuple[str, ...]) -> int:
    """Says which targets were missed. A figure of an input that the model does not take has none,
    nor has copying without training photos; one that was not measured for another reason counts as
    missed."""
    missed = {
        name: result.missing or f"target {result.target}"
        for name, result in figures.items()
        if result.target and not result.met and FIGURES[name].input in inputs
        if result.missing != NO_TRAINING
    }
    for name, reason in missed.items():
        print(f"gate missed: {name}: {reason}")
    return EXIT_SOME_FAILED if missed else EXIT_OK
