"""From an experiment to its files."""

from pathlib import Path

from posegen.evaluation.report import claim_file
from posegen.experiments.report.figures import figures_of, pngs
from posegen.experiments.report.page import page
from posegen.experiments.report.tables import write_image_values, write_markdown, write_table
from posegen.experiments.results import Experiment
from posegen_runtime.paths import write_atomic

PAGE = "report.html"


def write_report(experiment: Experiment, folder: Path) -> Path:
    """Write ``table.md``, ``table.csv`` (a line a row), ``values.csv`` (a line an image),
    ``figures/fig3.png`` to ``fig6.png`` and ``report.html`` into `folder`, each whole or not at
    all, and return the page's path. The same experiment gives the same bytes.

    A figure that is unavailable has no file, and the page says why; what an earlier report left in
    its place is removed. Raises `PoseGenError` naming a file that cannot be written.
    """
    pictures = folder / "figures"
    claim_file(pictures / "fig3.png")
    write_markdown(folder / "table.md", experiment)
    write_table(folder / "table.csv", experiment)
    write_image_values(folder / "values.csv", experiment)
    figures = figures_of(experiment)
    for name, data in pngs(figures).items():
        if data is None:
            (pictures / name).unlink(missing_ok=True)
        else:
            write_atomic(pictures / name, data)
    write_atomic(folder / PAGE, page(experiment, figures).encode())
    return folder / PAGE
