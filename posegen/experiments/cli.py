"""`posegen experiments`: the paper's experiments, each one command that can be resumed."""

import os
from pathlib import Path
from typing import Annotated

import typer

from posegen.choices import Device
from posegen.config import DEFAULT, DEFAULT_PRESETS, EVERY, Arch, LossConfig, TrainPrecision
from posegen.experiments.rows import ROWS
from posegen.experiments.usefulness.cli import usefulness
from posegen.metrics.cli import (
    JudgesOption,
    SegmentHashOption,
    SegmentOption,
    SegmentWeightsOption,
    SubsetOption,
    WeightsOption,
)
from posegen_runtime.console import EXIT_SOME_FAILED
from posegen_runtime.errors import PoseGenError

app = typer.Typer(no_args_is_help=True, help="The paper's experiments.")


@app.callback()
def experiments() -> None:
    """The paper's experiments."""


@app.command()
def tables(
    data: Annotated[Path, typer.Argument(help="Data set folder, made by `posegen data`.")],
    out: Annotated[Path, typer.Option(help="Folder of the experiment; a stopped one goes on.")],
    row: Annotated[
        list[str] | None,
        typer.Option(help="Train this row only; may be given many times.", show_default="all"),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(help="Also measure this checkpoint, run or bundle; may be given many times."),
    ] = None,
    model_precision: Annotated[
        str, typer.Option(help="Of bundles among --model: fp32, fp16, int8, or several: fp32,int8.")
    ] = "fp32",
    paper_preset: Annotated[
        str, typer.Option(help="Capacity of the paper's architecture: paper, small or tiny.")
    ] = DEFAULT_PRESETS[Arch.BOTTLENECK],
    spatial_preset: Annotated[
        str, typer.Option(help="Capacity of ours: base, edge or tiny.")
    ] = DEFAULT_PRESETS[Arch.SPATIAL],
    image_size: Annotated[
        int, typer.Option(min=16, max=2048, help="Height and width in pixels.")
    ] = DEFAULT.model.image_size,
    steps: Annotated[int, typer.Option(min=1, help="Training steps of each row.")] = DEFAULT.steps,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples a step.")] = DEFAULT.batch_size,
    lambda_gan: Annotated[
        float, typer.Option(min=0, help="Weight of the hinge loss.")
    ] = DEFAULT.loss.lambda_gan,
    lambda_background: Annotated[
        float, typer.Option(min=0, help="Weight of Eq. 6.")
    ] = DEFAULT.loss.lambda_background,
    lambda_object: Annotated[
        float, typer.Option(min=0, help="Weight of Eq. 7, and of the autoencoder's loss.")
    ] = DEFAULT.loss.lambda_object,
    precision: Annotated[
        TrainPrecision, typer.Option(help="Arithmetic of training.")
    ] = DEFAULT.precision,
    evaluate_every: Annotated[
        int, typer.Option(min=1, help="Steps between choices of the best checkpoint.")
    ] = EVERY,
    samples: Annotated[
        int | None, typer.Option(min=2, help="Test samples, evenly spaced.", show_default="all")
    ] = None,
    validation: Annotated[
        int, typer.Option(min=2, help="Validation samples that choose the best checkpoint.")
    ] = 256,
    judges: JudgesOption = None,
    segment: SegmentOption = None,
    segment_weights: SegmentWeightsOption = None,
    segment_weights_sha256: SegmentHashOption = None,
    weights: WeightsOption = None,
    surrogate: Annotated[
        bool | None,
        typer.Option(
            help="Distances from an untrained network's features.",
            show_default="where Inception's weights are missing",
        ),
    ] = None,
    kid_subset_size: SubsetOption = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of training, draws and intervals.")] = 0,
    device: Annotated[Device, typer.Option(help="auto takes CUDA where it is.")] = Device.AUTO,
) -> None:
    """Tables 1 and 2 and Figures 3 to 6 for DATA: the paper's variants and ours, at equal steps.

    Trains every row, takes the test figures of the checkpoint that is best on validation, and
    writes table.md, table.csv, values.csv, figures/ and report.html into --out. Ctrl-C saves and
    leaves; the same command goes on.
    """
    if unknown := set(row or ()) - ROWS.keys():
        raise PoseGenError(f"--row {min(unknown)}: no such row; name one of {', '.join(ROWS)}")
    # As for `posegen train`: threads that wait busily for each other lose to any other process.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from posegen.training.interrupt import watch_signals

    with watch_signals() as interrupt:
        from posegen.experiments.options import TablesOptions
        from posegen.experiments.tables import run_tables
        from posegen.metrics.segmenter import SegmenterChoice
        from posegen.training.loop import TrainingDiverged

        options = TablesOptions(
            data=data,
            out=out,
            rows=tuple(dict.fromkeys(row or ROWS)),
            given=tuple(model or ()),
            given_precisions=tuple(model_precision.split(",")),
            presets=(paper_preset, spatial_preset),
            image_size=image_size,
            steps=steps,
            batch_size=batch_size,
            loss=LossConfig(
                lambda_gan=lambda_gan,
                lambda_background=lambda_background,
                lambda_object=lambda_object,
            ),
            precision=precision,
            evaluate_every=evaluate_every,
            samples=samples,
            validation=validation,
            segmenter=SegmenterChoice(judges, segment, segment_weights, segment_weights_sha256),
            weights=weights,
            surrogate=surrogate,
            subset_size=kid_subset_size,
            seed=seed,
            device=device.value,
        )
        try:
            code = run_tables(options, interrupt)
        except TrainingDiverged as error:
            typer.echo(f"error: {error}", err=True)
            code = EXIT_SOME_FAILED
    raise typer.Exit(code)


app.command()(usefulness)
