"""`posegen judges`: train the networks that look at pictures."""

import os
from pathlib import Path
from typing import Annotated

import typer

from posegen.config import TrainPrecision
from posegen.judges.config import DEFAULT, JudgeConfig, JudgeKind

app = typer.Typer(no_args_is_help=True, help="Train the networks that judge images.")


@app.callback()
def judges() -> None:
    """Train the networks that judge images."""


@app.command()
def train(
    kind: Annotated[
        JudgeKind,
        typer.Option(
            help="segmenter: where the object is; heading: where it heads; outline: where it heads "
            "as far as its silhouette tells."
        ),
    ],
    data: Annotated[Path, typer.Option(help="Data set folder, made by `posegen data render`.")],
    out: Annotated[Path, typer.Option(help="New folder for judge.safetensors.")],
    segmenter: Annotated[
        Path | None, typer.Option(help="Checkpoint through which a heading judge finds the object.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Training steps.")] = DEFAULT.steps,
    batch_size: Annotated[int, typer.Option(min=2, help="Pictures a step.")] = DEFAULT.batch_size,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of weights and data order.")
    ] = DEFAULT.seed,
    image_size: Annotated[
        int, typer.Option(min=32, max=512, help="Height and width in pixels.")
    ] = DEFAULT.image_size,
    precision: Annotated[
        TrainPrecision, typer.Option(help="Arithmetic: bf16-mixed or 32.")
    ] = DEFAULT.precision,
) -> None:
    """Train one judge on the train split of a data set and print its figures on the val split.

    It takes minutes, so that a stopped training starts anew.
    """
    config = JudgeConfig(
        kind=kind,
        image_size=image_size,
        steps=steps,
        batch_size=batch_size,
        seed=seed,
        precision=precision,
    )
    # As `posegen train` does: threads that wait busily slow each other down.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from posegen.judges.training import train_judge

    figures = train_judge(config, data, out, segmenter)
    text = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
    print(f"{out}: {kind.value}, {text}")
