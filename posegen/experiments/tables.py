"""`posegen experiments tables`: train the rows, measure all, write the report."""

from posegen.data.dataset import open_dataset
from posegen.evaluation.samples import Samples
from posegen.experiments.choosing import Chooser
from posegen.experiments.judging import open_eyes
from posegen.experiments.options import TablesOptions
from posegen.experiments.training import train_rows
from posegen.training.interrupt import Interrupt
from posegen_runtime.console import EXIT_OK


def run_tables(options: TablesOptions, interrupt: Interrupt) -> int:
    """Returns the exit code: 0, or 130 or 143 after a signal; the same command goes on.

    Raises `PoseGenError` for unusable input, before hours are spent on it.
    """
    dataset = open_dataset(options.data)
    size = options.image_size
    validation = Samples(dataset, "val", size, options.validation)
    eyes = open_eyes(options, dataset, validation)
    chooser = Chooser.over(validation, eyes.segmenter, eyes.extractors, options.judged_at_once)
    code = train_rows(options, dataset, chooser, interrupt)
    if code != EXIT_OK:
        return code
    return EXIT_OK
