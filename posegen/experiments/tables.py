"""`posegen experiments tables`: train the rows, measure all, write the report."""

from posegen.data.dataset import Dataset, open_dataset
from posegen.data.prepared import Pixels
from posegen.evaluation.samples import Samples
from posegen.experiments.candidates import Candidates, given_models
from posegen.experiments.choosing import Chooser
from posegen.experiments.conditions import conditions_table
from posegen.experiments.identity import claim_experiment
from posegen.experiments.judging import Eyes, open_eyes
from posegen.experiments.keeping import ConditionsBench
from posegen.experiments.options import SHOWN, TablesOptions
from posegen.experiments.report import write_report
from posegen.experiments.report.tables import further_markdown, table_markdown
from posegen.experiments.results import Experiment, RowResult, Shown, Table
from posegen.experiments.scoring import Bench, Candidate
from posegen.experiments.training import missing_rows, train_rows, trained_rows
from posegen.training.interrupt import Interrupt
from posegen_runtime import __version__
from posegen_runtime.console import EXIT_OK


def run_tables(options: TablesOptions, interrupt: Interrupt) -> int:
    """Returns the exit code: 0, or 130 or 143 after a signal; the same command goes on.

    Raises `PoseGenError` for unusable input, before hours are spent on it.
    """
    dataset = open_dataset(options.data)
    size = options.image_size
    samples = Samples(dataset, "test", size, options.samples)
    validation = Samples(dataset, "val", size, options.validation)
    Samples(dataset, "train", size)
    given = given_models(options)
    eyes = open_eyes(options, dataset, validation)
    chooser = Chooser.over(validation, eyes.segmenter, eyes.extractors, options.judged_at_once)
    missing = missing_rows(options, dataset)
    choice = claim_experiment(options.out, dataset, chooser, eyes, trains=bool(missing))
    code = train_rows(missing, options, chooser, interrupt)
    if code != EXIT_OK:
        return code
    at_once = options.judged_at_once
    bench = Bench(samples, eyes, SHOWN, options.subset_size, options.seed, at_once)
    rows = trained_rows(options, dataset)
    candidates = Candidates(options, dataset, samples).all(rows, choice, given)
    experiment = _experiment(options, dataset, bench, eyes, candidates, samples)
    write_report(experiment, options.out)
    parts = [table_markdown(experiment), *map(further_markdown, experiment.tables)]
    print("\n" + "\n\n".join(parts) + "\n")
    print(f"{options.out / 'report.html'}: the table, and Figures 3 to 6")
    return EXIT_OK


def _experiment(
    options: TablesOptions,
    dataset: Dataset,
    bench: Bench,
    eyes: Eyes,
    candidates: list[Candidate],
    samples: Samples,
) -> Experiment:
    results: list[RowResult] = []
    images: dict[str, Pixels] = {}
    found: dict[str, Pixels] = {}
    for each in candidates:
        folder = options.folder(each.key)
        content = bench.measure(each, folder)
        results.append(
            RowResult(
                key=each.key,
                row=content.row,
                values=content.columns(),
                group=each.group,
                inputs=each.inputs,
                note=each.note,
            )
        )
        pictures, silhouettes = bench.pictures(folder)
        images |= {} if pictures is None else {each.key: pictures}
        found |= {} if silhouettes is None else {each.key: silhouettes}
    names = [sample.photo.relative_to(samples.root).as_posix() for sample in samples.samples]
    kept = samples.read(bench.kept)
    return Experiment(
        title=f"The paper's Tables 1 and 2 on {dataset.description.name}",
        settings=_settings(options, dataset, eyes, samples),
        notices=[eyes.notice] if eyes.notice else [],
        names=names,
        results=results,
        shown=Shown(
            names=[names[row] for row in bench.kept],
            photos=kept.photo,
            masks=kept.mask,
            appearances=kept.appearance,
            backgrounds=kept.background,
            images=images,
            found=found,
        ),
        objects=samples.object_id,
        tables=_tables(options, eyes, candidates, samples),
    )


def _tables(
    options: TablesOptions, eyes: Eyes, candidates: list[Candidate], samples: Samples
) -> list[Table]:
    bench = ConditionsBench(
        samples, eyes.judges, eyes.identity, options.seed, options.judged_at_once
    )
    found = [bench.measure(each, options.folder(each.key)) for each in candidates if each.model]
    return [conditions_table(found)] if found else []


def _settings(
    options: TablesOptions, dataset: Dataset, eyes: Eyes, samples: Samples
) -> dict[str, str]:
    description, loss = dataset.description, options.loss
    extractors = [extractor.name for extractor in eyes.extractors]
    return {
        "data set": f"{description.name} (sha256 {description.sha256[:12]})",
        "images": f"{description.splits['train']} to train on, {len(samples)} of "
        f"{samples.objects} other objects to test on",
        "image size": f"{options.image_size} px",
        "training": f"{options.steps} steps of {options.batch_size}, precision "
        f"{options.precision.value}, seed {options.seed}",
        "capacity": "paper's architecture {}, ours {}".format(*options.presets),
        "weights of losses": f"GAN {loss.lambda_gan:g}, Eq. 6 {loss.lambda_background:g}, "
        f"Eq. 7 {loss.lambda_object:g}",
        "segmenter": eyes.segmenter_name,
        "features": ", ".join(extractors) or "none",
        "posegen": __version__,
    }
