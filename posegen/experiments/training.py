"""Train the rows one after the other; what is trained stays trained."""

import shutil

from posegen.checkpoint import LAST, load_checkpoint
from posegen.data.dataset import Dataset
from posegen.experiments.choosing import Chooser
from posegen.experiments.options import TablesOptions
from posegen.experiments.rows import ROWS, TrainedRow
from posegen.models.build import check_model
from posegen.training.checks import check_config
from posegen.training.interrupt import Interrupt
from posegen.training.resume import RESUME, other_option
from posegen.training.run import RunOptions, run_training
from posegen_runtime.console import EXIT_OK
from posegen_runtime.errors import PoseGenError

CACHE = "cache"


def missing_rows(options: TablesOptions, dataset: Dataset) -> list[TrainedRow]:
    """Those of `options.rows` that are not trained to their last step.

    Raises `PoseGenError` for options that a row cannot be trained with, and where a row's folder
    holds another run.
    """
    wanted = [ROWS[key] for key in options.rows]
    for row in wanted:
        config = options.config(row)
        check_model(config.model)
        check_config(config)
    return [row for row in wanted if not _is_trained(options, dataset, row)]


def trained_rows(options: TablesOptions, dataset: Dataset) -> list[TrainedRow]:
    """All that are trained with these options, asked for or not, in the order of the tables."""

    def stands(row: TrainedRow) -> bool:
        try:
            return _is_trained(options, dataset, row)
        except PoseGenError:
            return False

    return [row for key, row in ROWS.items() if key in options.rows or stands(row)]


def train_rows(
    missing: list[TrainedRow], options: TablesOptions, chooser: Chooser, interrupt: Interrupt
) -> int:
    """Train the `missing`. Returns the exit code: 0, or 130 or 143 after a signal; the row that it
    stopped goes on where it was. Raises as training does."""
    for number, row in enumerate(missing, 1):
        print(f"training {row.key} ({number} of {len(missing)})", flush=True)
        interrupt.graceful = False
        code = run_training(options.config(row), _run_options(options, row, chooser), interrupt)
        if code != EXIT_OK:
            return code
        # Nothing goes on from here, and with Adam's moments it is the largest file of the run.
        (options.folder(row.key) / RESUME).unlink(missing_ok=True)
    interrupt.graceful = False
    shutil.rmtree(options.out / CACHE, ignore_errors=True)
    return EXIT_OK


def _run_options(options: TablesOptions, row: TrainedRow, chooser: Chooser) -> RunOptions:
    every = options.evaluate_every
    return RunOptions(
        data=options.data,
        out=options.folder(row.key),
        device=options.device,
        save_every=every,
        sample_every=every,
        score=chooser.score,
        cache=options.out / CACHE,
    )


def _is_trained(options: TablesOptions, dataset: Dataset, row: TrainedRow) -> bool:
    """Raises `PoseGenError` where the folder holds a finished run of other options or data."""
    folder = options.folder(row.key)
    if not (folder / LAST).is_file() or (folder / RESUME).is_file():
        return False
    info = load_checkpoint(folder / LAST).info
    if info.lineage.dataset["sha256"] != dataset.description.sha256:
        raise PoseGenError(f"{folder}: trained on another data set; give another --out")
    if problem := other_option(info.train_config, options.config(row)):
        raise PoseGenError(f"{folder}: {problem}; repeat the first command or give another --out")
    return True
