"""`posegen`: commands for the training machine."""

import os
from pathlib import Path
from typing import Annotated

import typer

from posegen.choices import Device
from posegen.config import (
    DEFAULT,
    DEFAULT_PRESETS,
    EVERY,
    Arch,
    LossConfig,
    ModelConfig,
    SamplerName,
    TrainConfig,
    TrainPrecision,
    Variant,
)
from posegen.data.cli import app as data_app
from posegen.evaluation.cli import evaluate
from posegen.experiments.cli import app as experiments_app
from posegen.judges.cli import app as judges_app
from posegen.metrics.cli import app as metrics_app
from posegen_runtime.console import EXIT_SOME_FAILED, run_app

app = typer.Typer(help="Make data sets and train generators.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(judges_app, name="judges")
app.add_typer(metrics_app, name="metrics")
app.add_typer(experiments_app, name="experiments")
app.command()(evaluate)


@app.callback()
def posegen() -> None:
    """Make data sets and train generators."""


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="Data set folder, made by `posegen data`.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; one that was stopped goes on.")],
    arch: Annotated[Arch, typer.Option(help="Architecture.")] = DEFAULT.model.arch,
    preset: Annotated[
        str | None, typer.Option(help="Capacity: edge, base, tiny; bottleneck: paper, tiny.")
    ] = None,
    variant: Annotated[
        Variant, typer.Option(help="What the generator is conditioned on.")
    ] = DEFAULT.model.variant,
    image_size: Annotated[
        int, typer.Option(min=16, max=2048, help="Height and width in pixels.")
    ] = DEFAULT.model.image_size,
    viewpoint: Annotated[
        bool,
        typer.Option(
            "--viewpoint/--no-viewpoint",
            help="Also take from where the object is seen; zeros where that is unknown.",
        ),
    ] = DEFAULT.model.viewpoint,
    sampler: Annotated[
        SamplerName,
        typer.Option(help="paired: Eq. 6 and 7; independent: Algorithm 1, Eq. 6 only."),
    ] = DEFAULT.sampler,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the whole run.")] = DEFAULT.steps,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Samples a step, all devices.")
    ] = DEFAULT.batch_size,
    learning_rate: Annotated[
        float, typer.Option(min=1e-9, max=1, help="At the start; falls to 0 linearly.")
    ] = DEFAULT.learning_rate,
    adam_betas: Annotated[
        tuple[float, float],
        typer.Option(min=0, max=0.9999, help="0.9 0.99 suits training without a discriminator."),
    ] = DEFAULT.adam_betas,
    lambda_gan: Annotated[
        float,
        typer.Option(
            min=0,
            help="Weight of the hinge loss; 0 without --lambda-features "
            "trains without a discriminator.",
        ),
    ] = DEFAULT.loss.lambda_gan,
    lambda_background: Annotated[
        float, typer.Option(min=0, help="Weight of Eq. 6.")
    ] = DEFAULT.loss.lambda_background,
    lambda_object: Annotated[
        float, typer.Option(min=0, help="Weight of Eq. 7.")
    ] = DEFAULT.loss.lambda_object,
    lambda_features: Annotated[
        float, typer.Option(min=0, help="Weight of feature matching inside the silhouette.")
    ] = DEFAULT.loss.lambda_features,
    shadowless: Annotated[
        bool,
        typer.Option(
            "--shadowless",
            help="Show the discriminator photos without the object's shadow, which Eq. 6 forbids.",
        ),
    ] = DEFAULT.shadowless,
    ema_decay: Annotated[
        float, typer.Option(min=0, max=0.99999, help="Decay of the averaged weights.")
    ] = DEFAULT.ema_decay,
    rough_masks: Annotated[
        float, typer.Option(min=0, max=1, help="Share of masks made as rough as a segmenter's.")
    ] = DEFAULT.rough_masks,
    crops: Annotated[
        float, typer.Option(min=0, max=1, help="Share of samples cropped, cut objects included.")
    ] = DEFAULT.crops,
    covered: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of samples with another scene under the object, for photos "
            "without empty scenes.",
        ),
    ] = DEFAULT.covered,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of weights and data order.")
    ] = DEFAULT.seed,
    device: Annotated[Device, typer.Option(help="auto takes CUDA where it is.")] = Device.AUTO,
    devices: Annotated[
        int | None,
        typer.Option(
            min=1, help="Devices of each machine that share a batch; torchrun and srun say it."
        ),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, help="Machines that share a batch, by torchrun or srun on each."),
    ] = None,
    precision: Annotated[TrainPrecision, typer.Option(help="Arithmetic.")] = DEFAULT.precision,
    init: Annotated[
        Path | None,
        typer.Option(help="Checkpoint or run to fine-tune; spatial: of any image size."),
    ] = None,
    evaluate_every: Annotated[
        int, typer.Option(min=1, help="Steps between figures.")
    ] = DEFAULT.evaluate_every,
    save_every: Annotated[
        int, typer.Option(min=1, help="Steps between resume files; each evaluation saves one too.")
    ] = EVERY,
    sample_every: Annotated[int, typer.Option(min=1, help="Steps between sample grids.")] = EVERY,
) -> None:
    """Train a generator. The same command with the same --out goes on where a run was stopped.

    The run's folder gets last.safetensors, best.safetensors, samples/ and tensorboard/. Ctrl-C
    saves and leaves. With another configuration, a folder that holds a run is refused.
    """
    from posegen.training.launch import find_launch, first_speaks

    with first_speaks(os.environ):
        launch = find_launch(devices, nodes, os.environ)
    config = TrainConfig(
        model=ModelConfig(
            arch=arch,
            preset=preset or DEFAULT_PRESETS[arch],
            variant=variant,
            image_size=image_size,
            viewpoint=viewpoint,
        ),
        loss=LossConfig(
            lambda_gan=lambda_gan,
            lambda_background=lambda_background,
            lambda_object=lambda_object,
            lambda_features=lambda_features,
        ),
        sampler=sampler,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        adam_betas=adam_betas,
        shadowless=shadowless,
        ema_decay=ema_decay,
        rough_masks=rough_masks,
        crops=crops,
        covered=covered,
        evaluate_every=evaluate_every,
        seed=seed,
        precision=precision,
        devices=launch.devices,
        nodes=launch.nodes,
    )
    # Threads that wait busily for each other take ten times as long as soon as another process
    # wants a core. OpenMP reads this when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from posegen.training.interrupt import watch_signals

    with watch_signals() as interrupt:
        from posegen.training.loop import TrainingDiverged
        from posegen.training.run import RunOptions, run_training

        options = RunOptions(data, out, init, device.value, save_every, sample_every)
        try:
            with first_speaks(os.environ):
                code = run_training(config, options, interrupt)
        except TrainingDiverged as error:
            typer.echo(f"error: {error}", err=True)
            code = EXIT_SOME_FAILED
    raise typer.Exit(code)


def main() -> None:
    raise SystemExit(run_app(app))
