"""Train the rows one after the other; what is trained stays trained."""

import shutil

from posegen.checkpoint import LAST, load_checkpoint
from posegen.data.dataset import Dataset
from posegen.experiments.choosing import Chooser
from posegen.experiments.options import TablesOptions
from posegen.experiments.rows import ROWS, TrainedRow
from posegen.training.interrupt import Interrupt
from posegen.training.resume import RESUME
from posegen.training.run import RunOptions, run_training
from posegen_runtime.console import EXIT_OK
from posegen_runtime.errors import PoseGenError

CACHE = "cache"


def train_rows(
    options: TablesOptions, dataset: Dataset, chooser: Chooser, interrupt: Interrupt
) -> int:
    """Train what is not trained yet. Returns the exit code: 0, or 130 or 143 after a signal; the
    row that it stopped goes on where it was.

    Raises `PoseGenError` where a row's folder holds another run, `TrainingDiverged` as training.
    """
    wanted = [ROWS[key] for key in options.rows]
    missing = [row for row in wanted if not _is_trained(options, dataset, row)]
    for row in missing:
        print(f"training {row.key} ({wanted.index(row) + 1} of {len(wanted)})", flush=True)
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
    if info.train_config != options.config(row) or info.step != options.steps:
        raise PoseGenError(
            f"{folder}: trained with other options; repeat the first command or give another --out"
        )
    return True
