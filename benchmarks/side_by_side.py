"""Both architectures side by side: trained for equal steps on equal images, judged alike.

    python benchmarks/side_by_side.py --data datasets/cars --out runs/side-by-side

Trains each row of the table with `posegen train`, evaluates it with `posegen evaluate` on the test
split and prints the table as Markdown. Writes side_by_side.json and side_by_side.jpg, the same
samples by every model, into --out. Ctrl-C saves and leaves; the same command goes on with the row
that was stopped, and trained rows stay as they are.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from posegen.cli import app as posegen
from posegen.data.prepared import Pixels
from posegen_runtime.console import run_app
from posegen_runtime.judges import shipped_judges

SIZE = 128
BATCH = 8
ALL_THREE = "pose-appearance-background"
ROWS = {
    "spatial, viewpoint": ["--arch", "spatial", "--variant", ALL_THREE, "--viewpoint"],
    "spatial": ["--arch", "spatial", "--variant", ALL_THREE],
    "bottleneck": ["--arch", "bottleneck", "--variant", ALL_THREE],
    "bottleneck, pose alone": ["--arch", "bottleneck", "--variant", "pose"],
}
TRAINING = ["--lambda-gan", "0.2", "--lambda-object", "10", "--lambda-background", "10"]
"""The rest is `posegen train`'s defaults, which are the paper's."""

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="Data set, made by `posegen data render`.")],
    out: Annotated[Path, typer.Option(help="Folder for the runs, the table and the picture.")],
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each model.")] = 1000,
    samples: Annotated[int, typer.Option(min=2, help="Test samples to judge.")] = 500,
    preset: Annotated[
        str | None, typer.Option(help="One capacity for all. Default: edge and paper.")
    ] = None,
    precision: Annotated[str, typer.Option(help="Arithmetic of training.")] = "bf16-mixed",
) -> None:
    """Train, evaluate and print the table."""
    capacity = [] if preset is None else ["--preset", preset]
    size = ["--image-size", str(SIZE), "--batch-size", str(BATCH), "--precision", precision]
    runs = {name: out / name.replace(", ", "-").replace(" ", "-") for name in ROWS}
    for name, model in ROWS.items():
        where = ["--data", str(data), "--out", str(runs[name])]
        _posegen("train", *where, *model, *capacity, *size, *TRAINING, "--steps", str(steps))
    reports, sheets = {}, []
    for name, run in runs.items():
        report, sheet = run.with_suffix(".json"), run.with_suffix(".png")
        where = [str(run / "last.safetensors"), "--data", str(data), "--samples", str(samples)]
        judges = ["--judges", str(shipped_judges())]  # the same for every data set
        _posegen("evaluate", *where, *judges, "--json", str(report), "--sheet", str(sheet))
        reports[name] = json.loads(report.read_bytes())["figures"]
        sheets.append(np.asarray(cv2.imread(str(sheet)), np.uint8))
    table = _table(reports)
    (out / "side_by_side.json").write_text(json.dumps(table, indent=2) + "\n")
    cv2.imwrite(str(out / "side_by_side.jpg"), _picture(sheets))
    print(f"\n{steps} steps of {BATCH} images, {SIZE} px, {samples} test images\n")
    print(_markdown(table))


def _posegen(*arguments: str) -> None:
    """What the command `posegen` does; raises `SystemExit` with its code when it fails.

    In this process, so that Ctrl-C and SIGTERM reach the training, which then saves.
    """
    code = posegen(arguments, standalone_mode=False)
    if code:
        raise SystemExit(code)


FIGURES = {
    "pose_iou_of_ceiling": ("pose IoU / ceiling", "{:.3f}"),
    "heading_median": ("heading error, median °", "{:.1f}"),
    "heading_reversed": ("heading wrong by > 90°", "{:.1%}"),
    "background_psnr": ("background PSNR, dB", "{:.1f}"),
    "colour_error": ("colour error, ΔE", "{:.1f}"),
    "sharpness_of_real": ("sharpness / real", "{:.2f}"),
}
"""Of `posegen evaluate`, with what the table calls them."""

Row = dict[str, float | None]


def _table(reports: dict[str, Any]) -> dict[str, Row]:
    """A row a model, then that of the real renders and that of the controls."""
    table = {
        name: {key: figures[key]["value"] for key in FIGURES} for name, figures in reports.items()
    }
    figures = reports[next(iter(ROWS))]
    table["real renders"] = {key: figures[key]["real"] for key in FIGURES}
    table["control"] = {key: figures[key]["control"] for key in FIGURES}
    return table


def _markdown(table: dict[str, Row]) -> str:
    lines = ["| | " + " | ".join(label for label, _ in FIGURES.values()) + " |"]
    lines.append("|---" * (len(FIGURES) + 1) + "|")
    for name, row in table.items():
        cells = (
            "-" if row[key] is None else text.format(row[key]) for key, (_, text) in FIGURES.items()
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _picture(sheets: list[Pixels]) -> Pixels:
    """What the first model was asked for, what each made, and the photo. A sheet's last two rows
    are the generated images and the photos, before them mask, appearance and background."""
    row = len(sheets[0]) // 5
    made = [sheet[-2 * row : -row] for sheet in sheets]
    return np.concatenate([sheets[0][: 3 * row], *made, sheets[0][-row:]])


if __name__ == "__main__":
    raise SystemExit(run_app(app))
