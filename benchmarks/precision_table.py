"""What each precision costs and gives: parity, size, engine and speed on this machine's CPU.

    python benchmarks/precision_table.py                   # the shipped model
    python benchmarks/precision_table.py bundles/cars …    # bundles of your own
    python benchmarks/precision_table.py --made all        # both architectures, all pose variants
    python benchmarks/precision_table.py --made all --tiny     # the same, small and quick

Parity is what the export measured and keeps in the bundle: the worst over all ways to an image.
`--made` exports and calibrates models with made-up weights that move (`posegen_export.moving`) on
made-up silhouettes; on freshly initialised ones every figure would be good and prove nothing.
Engines are TensorRT-RTX's of the uncached graph, built where that is installed. Speed is one image
on one thread, in processor time; the ratio is to FP32 of the same model on ONNX Runtime, from
rounds in which all take their turn. Exits 1 when a gate is missed.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from posegen_runtime.backends.choosing import installed_on_cpu
from posegen_runtime.backends.speed import sample_backends
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName
from posegen_runtime.console import EXIT_SOME_FAILED, run_app
from posegen_runtime.engines.options import BuildOptions
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.manifest import Precision
from posegen_runtime.parity import GATES

REFERENCE = (BackendName.CPU, "fp32")


class Made(str, Enum):
    NO = "no"
    BOTTLENECK = "bottleneck"
    SPATIAL = "spatial"
    ALL = "all"


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Row = dict[str, Any]


@app.command()
def main(
    bundles: Annotated[
        list[Path] | None, typer.Argument(help="Bundles. Default: the shipped one.")
    ] = None,
    made: Annotated[Made, typer.Option(help="Make bundles of one architecture or both.")] = Made.NO,
    tiny: Annotated[bool, typer.Option("--tiny", help="With --made: small models, 64 px.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of timing.")] = 21,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a row for each model and precision."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for bundle in _bundles(Path(folder), bundles or [], made, tiny):
            name = bundle.manifest.name
            rows += [{"model": name, **row} for row in measure(bundle, Path(folder), rounds)]
            if made is not Made.NO and rows[-1]["precision"] != "int8":
                rows.append({"model": name, "precision": "int8", "gate": "missed"})
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        _print(rows)
    if any(row["gate"] == "missed" for row in rows):
        raise typer.Exit(EXIT_SOME_FAILED)


def measure(bundle: Bundle, folder: Path, rounds: int) -> list[Row]:
    """A row for each precision that `bundle` holds; engines are built below `folder`."""
    precisions = bundle.manifest.precisions
    candidates = [(b, p.precision) for p in precisions for b in installed_on_cpu()]
    samples = sample_backends(candidates, bundle, rounds)
    rows = []
    for precision in precisions:
        row = {**_parity(precision), "mb": _size(bundle, precision)}
        row["engine_mb"] = _engine_size(bundle, precision.precision, folder)
        for backend, held in samples:
            if held == precision.precision:
                seconds = samples[backend, held]
                ratios = [a / b for a, b in zip(samples[REFERENCE], seconds, strict=True)]
                row[f"{backend.value}_images_a_second"] = 1 / statistics.median(seconds)
                row[f"{backend.value}_ratio"] = statistics.median(ratios)
        rows.append(row)
    return rows


def _parity(precision: Precision) -> Row:
    """The worst figures over the ways to an image, as the export stored them, against the gate."""
    stored = list(precision.parity["figures"].values())
    ssim = [f["ssim"] for f in stored if "ssim" in f]
    worst = {
        "max_difference": max(f["max_difference"] for f in stored),
        "mean_difference": max(f["mean_difference"] for f in stored),
        "psnr": min(f["psnr"] for f in stored),
        "psnr_worst": min(f["psnr_worst"] for f in stored),
        "ssim": min(ssim) if ssim else None,
    }
    missed = [
        bound.figure
        for bound in GATES[precision.precision].bounds
        if not bound.holds(worst[bound.figure])
    ]
    return {
        "precision": precision.precision,
        **worst,
        "gate": "missed" if missed else "ok",
        "pose_iou": precision.parity.get("pose_iou"),
        "work_in_int8": precision.parity.get("work_in_int8"),
    }


def _size(bundle: Bundle, precision: Precision) -> float:
    folder = f"{precision.precision}/"
    files = bundle.manifest.files.items()
    return sum(file.bytes for name, file in files if name.startswith(folder)) / 1e6


def _engine_size(bundle: Bundle, precision: str, folder: Path) -> float | None:
    """Of TensorRT-RTX, for every GPU that it serves; None where it is not installed."""
    from posegen_runtime.engines import Flavor, Profile, ensure_engine, find_flavor

    try:
        find_flavor("rtx")
    except PoseGenError:
        return None
    os.environ["POSEGEN_CACHE"] = str(folder / "cache")
    most = bundle.manifest.max_batch
    options = BuildOptions(flavor=Flavor.RTX, profile=Profile(1, most, most))
    file = ensure_engine(bundle, precision, "generator", options, tell=lambda line: None)
    return file.sidecar.bytes / 1e6


def _bundles(folder: Path, given: list[Path], made: Made, tiny: bool) -> Iterator[Bundle]:
    for path in given or ([SHIPPED_BUNDLE] if made is Made.NO else []):
        yield Bundle.load(path)
    if made is not Made.NO:
        from made_models import made_bundles

        yield from made_bundles(folder, made.value, tiny)


def _print(rows: list[Row]) -> None:
    backends = [b.value for b in BackendName if any(f"{b.value}_ratio" in row for row in rows)]
    table = Table(title="The worse of image and silhouette; levels of 255")
    table.add_column("model")
    table.add_column("precision")
    speeds = [f"{backend} {what}" for backend in backends for what in ("images/s", "×")]
    for column in ("max", "mean", "PSNR dB", "SSIM", "gate", "in INT8", "MB", "engine MB", *speeds):
        table.add_column(column, justify="right")
    for row in rows:
        speed = [
            _number(row.get(f"{backend}_{what}"), digits)
            for backend in backends
            for what, digits in (("images_a_second", 1), ("ratio", 2))
        ]
        table.add_row(
            row["model"],
            row["precision"],
            _number(row.get("max_difference"), 0),
            _number(row.get("mean_difference"), 4),
            _number(row.get("psnr"), 1),
            _number(row.get("ssim"), 3),
            row["gate"],
            _percent(row.get("work_in_int8")),
            _number(row.get("mb"), 1),
            _number(row.get("engine_mb"), 1),
            *speed,
        )
    Console(width=None if Console().is_terminal else 200).print(table)
    for row in rows:
        pose = row.get("pose_iou")
        if pose and pose["judged"]:
            print(
                f"{row['model']}: pose IoU on {pose['images']} held-out masks: INT8 "
                f"{pose['int8']:.4f}, FP32 {pose['fp32']:.4f}, shuffled {pose['shuffled']:.4f}"
            )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    sys.exit(run_app(app))
