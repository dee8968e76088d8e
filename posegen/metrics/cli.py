"""`posegen metrics`: the paper's metrics, of image folders and of tables of per-image values."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The paper's metrics, and what is behind its means.")


@app.callback()
def metrics() -> None:
    """The paper's metrics, and what is behind its means."""


@app.command()
def analyse(
    table: Annotated[
        Path,
        typer.Argument(help="CSV, one row an image, with columns isim_MODEL and iou_MODEL."),
    ],
    json: Annotated[
        Path | None, typer.Option(help="Write the figures and both histograms there.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 0,
) -> None:
    """Means, share of zeros and correlation of I_sim with IoU, a row a model, as Markdown.

    With 95 % bootstrap intervals; a column `object` makes them draw whole objects.
    """
    import msgspec

    from posegen.evaluation.report import claim_file
    from posegen.metrics.analysis import analyse as analyse_table
    from posegen.metrics.analysis_table import markdown
    from posegen.metrics.values import read_values
    from posegen_runtime.paths import write_atomic

    if json is not None:
        claim_file(json)
    analyses = analyse_table(read_values(table), seed)
    if json is not None:
        write_atomic(json, msgspec.json.format(msgspec.json.encode(analyses)) + b"\n")
    print(markdown(analyses))
