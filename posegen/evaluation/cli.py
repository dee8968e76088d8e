"""The command `posegen evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from posegen.choices import Device


def evaluate(
    model: Annotated[
        Path,
        typer.Argument(help="A .safetensors checkpoint, a training run's folder, or a bundle."),
    ],
    data: Annotated[Path, typer.Option(help="Data set folder, made by `posegen data`.")],
    split: Annotated[str, typer.Option(help="Which split; test was never trained on.")] = "test",
    samples: Annotated[
        int | None, typer.Option(min=1, help="That many, evenly spaced.", show_default="all")
    ] = None,
    judges: Annotated[
        Path | None,
        typer.Option(
            help="Folder with segmenter/, heading/, outline/.", show_default="those that ship"
        ),
    ] = None,
    without_viewpoint: Annotated[
        bool, typer.Option("--without-viewpoint", help="Withhold the viewpoint from the model.")
    ] = False,
    bins: Annotated[
        bool, typer.Option("--bins", help="Print the figures by yaw, elevation and area too.")
    ] = False,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 1 when a target is missed.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write figures and bins there.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write each image's values there.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write a contact sheet of ten samples there (PNG).")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write one page there (HTML): verdict, figures, the worst images."),
    ] = None,
    training: Annotated[
        int,
        typer.Option(
            min=0, help="Look for copies of that many training photos, evenly spaced; 0: do not."
        ),
    ] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="Of the controls and the intervals.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 16,
    device: Annotated[
        Device, typer.Option(help="Of the model; auto takes CUDA where it is.")
    ] = Device.AUTO,
    precision: Annotated[
        str, typer.Option(help="Of a bundle: fp32, fp16 or int8, which it must hold.")
    ] = "fp32",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads.", show_default="what the libraries prefer")
    ] = None,
) -> None:
    """Say how good MODEL's images are: pose, heading, background, colour, sharpness, copying.

    Every figure stands beside that of the real photos, or a control, on objects that no
    training saw. The last line is the verdict: usable, or not usable because of what.
    """
    from posegen.evaluation.run import EvaluateOptions, run_evaluation

    options = EvaluateOptions(
        model=model,
        data=data,
        split=split,
        samples=samples,
        judges=judges,
        viewpoint=not without_viewpoint,
        seed=seed,
        json=json,
        csv=csv,
        sheet=sheet,
        report=report,
        training=training,
        bins=bins,
        gate=gate,
        batch_size=batch_size,
        device=device.value,
        precision=precision,
        threads=threads,
    )
    raise typer.Exit(run_evaluation(options))
