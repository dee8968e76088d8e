"""The command `posegen experiments usefulness`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from posegen.experiments.usefulness.config import DEFAULT, Config
from posegen_runtime.errors import PoseGenError


def usefulness(
    out: Annotated[
        Path, typer.Option(help="Folder of the experiment; one that was stopped goes on.")
    ],
    posegen: Annotated[
        Path | None,
        typer.Option(
            help="Checkpoint, run or bundle that makes PoseGen's images.",
            show_default="one is trained on the target photos",
        ),
    ] = None,
    image_size: Annotated[
        int, typer.Option(min=32, max=512, help="Side in pixels, a multiple of 32.")
    ] = DEFAULT.image_size,
    images: Annotated[int, typer.Option(min=2, help="Training images of a set.")] = DEFAULT.images,
    photos: Annotated[
        int, typer.Option(min=2, help="Target photos without poses, and empty scenes.")
    ] = DEFAULT.photos,
    cars: Annotated[
        int, typer.Option(min=1, help="In simulator, photos, ceiling and test each.")
    ] = DEFAULT.cars,
    test: Annotated[int, typer.Option(min=1, help="Held-out target images.")] = DEFAULT.test,
    posegen_steps: Annotated[
        int, typer.Option(min=2, help="Training steps of PoseGen.")
    ] = DEFAULT.posegen_steps,
    steps: Annotated[
        int, typer.Option(min=1, help="Training steps of each segmenter and yaw regressor.")
    ] = DEFAULT.steps,
    batch_size: Annotated[
        int, typer.Option(min=2, help="Images of such a step.")
    ] = DEFAULT.batch_size,
    seeds: Annotated[
        int, typer.Option(min=1, help="Trainings on each set; may grow later.")
    ] = DEFAULT.seeds,
    seed: Annotated[int, typer.Option(min=0, help="Of renders, sets and PoseGen.")] = DEFAULT.seed,
) -> None:
    """Are PoseGen's images good training data? Compare them with what one would do instead.

    Target photos without poses and a plain simulator are given. A segmenter and a yaw regressor
    learn from five sets in as many steps and are tested on target photos of unseen cars. The same
    command with the same --out goes on where it was stopped.
    """
    if min(images, photos, test) < cars:
        raise PoseGenError(
            f"--cars {cars}: more than --images {images}, --photos {photos} or --test {test}; "
            "each car is shown once at least"
        )
    if image_size % 32:
        raise PoseGenError(f"--image-size {image_size}: take a multiple of 32")
    # As `posegen train` does: threads that wait busily slow each other down.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from posegen.evaluation.model import open_model
    from posegen.experiments.usefulness.run import run

    model = None if posegen is None else open_model(posegen, "cpu")
    config = Config(
        image_size=image_size,
        images=images,
        photos=photos,
        cars=cars,
        test=test,
        posegen_steps=posegen_steps,
        steps=steps,
        batch_size=batch_size,
        seeds=seeds,
        seed=seed,
        posegen=None if model is None else model.sha256,
    )
    if model is not None:
        _warn_of_missing(model.inputs, posegen)
    print(run(config, model, out), end="")
    print(f"\n{out}: table.md, table.json, scores.csv, sets.png")


def _warn_of_missing(inputs: tuple[str, ...], model: Path | None) -> None:
    missing = [name for name in ("appearance", "background") if name not in inputs]
    if missing:
        typer.echo(
            f"warning: --posegen {model} takes no {' and no '.join(missing)}, so its images do not "
            "get that from the target photos; its row in the table names what it takes",
            err=True,
        )
