"""`posegen-export`: what turns a checkpoint into the bundle that travels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from posegen_export.int8_cli import int8
from posegen_export.triton.command import triton
from posegen_export.trt_cli import trt
from posegen_runtime.console import EXIT_SOME_FAILED, run_app

app = typer.Typer(
    help="Export a trained generator and prove that nothing changed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command()(trt)
app.command()(int8)
app.command()(triton)

Checkpoint = Annotated[
    Path, typer.Argument(help="A .safetensors checkpoint, or the folder of a training run.")
]
Data = Annotated[
    Path | None,
    typer.Option(help="Data set whose unseen split gives the inputs. Default: made-up inputs."),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the choice of inputs.")]


@app.command()
def onnx(
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Option("--out", "-o", help="Bundle folder to write.")],
    data: Data = None,
    name: Annotated[str, typer.Option(help="Name of the bundle. Default: its folder's.")] = "",
    max_batch: Annotated[
        int, typer.Option(min=1, max=1024, help="Largest batch that is proven and allowed.")
    ] = 32,
    golden: Annotated[int, typer.Option(min=8, max=96, help="Number of golden inputs.")] = 24,
    seed: Seed = 0,
    precision: Annotated[
        str,
        typer.Option(
            help="Precisions to write, separated by commas: fp32, which is always written, fp16."
        ),
    ] = "fp32",
    allow_insensitive: Annotated[
        bool,
        typer.Option(
            "--allow-insensitive",
            help="Export weights whose output hardly moves, though parity proves little on them.",
        ),
    ] = False,
) -> None:
    """Write a bundle from CHECKPOINT; exit 1 when its images are not PyTorch's."""
    from posegen_export.bundle_writer import check_target
    from posegen_export.export import GateMissed, export_bundle, load_source, make_inputs
    from posegen_export.table import parity_table
    from posegen_export.variants import parse_precisions

    check_target(out)
    precisions = parse_precisions(precision)
    source = load_source(checkpoint)
    inputs = make_inputs(source.config, data, golden, seed)
    try:
        manifest, figures = export_bundle(
            source,
            out,
            inputs,
            name=name or out.resolve().name,
            max_batch=max_batch,
            precisions=precisions,
            allow_insensitive=allow_insensitive,
        )
    except GateMissed as missed:
        parity_table({"": missed.figures})
        _fail(missed.missed, missed.blame)
    parity_table({"": figures})
    size = sum(record.bytes for record in manifest.files.values())
    print(f"{out}: {manifest.arch}/{manifest.preset} {manifest.variant}, {size / 1e6:.1f} MB")


@app.command()
def check(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")],
    checkpoint: Annotated[
        Path, typer.Option(help="The checkpoint, or run folder, that it was exported from.")
    ],
    data: Data = None,
    seed: Seed = 0,
) -> None:
    """Repeat the parity measurement of every precision in BUNDLE; exit 1 when a gate is missed."""
    from posegen_export.check import check_bundle
    from posegen_export.export import load_source, make_inputs
    from posegen_export.table import parity_table
    from posegen_runtime.bundle import Bundle

    opened = Bundle.load(bundle)
    source = load_source(checkpoint)
    inputs = make_inputs(source.config, data, max(len(opened.manifest.golden), 8), seed)
    checked = check_bundle(opened, source, inputs)
    parity_table({"": checked.figures})
    if checked.missed:
        _fail(checked.missed)


@app.command()
def judge(
    checkpoint: Annotated[
        Path, typer.Argument(help="judge.safetensors, or the folder of its training.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the judge to write.")],
) -> None:
    """Write a judge's folder from CHECKPOINT; exit 1 when it does not say what PyTorch says."""
    from posegen_export.judges import JudgeGateMissed, export_judge

    try:
        manifest = export_judge(checkpoint, out)
    except JudgeGateMissed as missed:
        _fail([str(missed)])
    size = sum(file.stat().st_size for file in out.iterdir())
    difference = manifest.parity["max_difference"]
    print(f"{out}: {manifest.kind}, {size / 1e6:.1f} MB, at most {difference:.2g} from PyTorch")


def _fail(missed: Sequence[str], blame: Sequence[str] = ()) -> None:
    for line in missed:
        print(f"gate missed: {line}")
    for line in blame:
        print(f"to blame: {line}")
    raise typer.Exit(EXIT_SOME_FAILED)


def main() -> int:
    return run_app(app)
