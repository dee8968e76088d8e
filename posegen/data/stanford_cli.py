"""The command `posegen data stanford-cars`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from posegen.choices import Device
from posegen.data.options import FitOption, MinObjectOption, SideOfImagesOption, check_apart
from posegen.data.segment_options import (
    CacheOption,
    DeviceOption,
    HashOption,
    SegmentOptions,
    WeightsOption,
)
from posegen_runtime.choices import Fit


class Shown(str, Enum):
    """Which photo is a sample's appearance."""

    OWN = "own"
    CATEGORY = "category"


def stanford_cars(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="cars_train/, cars_test/ and devkit/.")
    ],
    out: Annotated[Path, typer.Option(help="New directory for the data set.")],
    masks: Annotated[
        Path | None,
        typer.Option(
            help="masks/ of `posegen data silhouettes DIR`.",
            show_default="found with Mask R-CNN, class car",
        ),
    ] = None,
    weights: WeightsOption = None,
    weights_sha256: HashOption = None,
    device: DeviceOption = Device.AUTO,
    cache: CacheOption = None,
    appearance: Annotated[
        Shown,
        typer.Option(
            help="A sample's appearance: the car's own crop, or another car of its category, "
            "mostly of another colour."
        ),
    ] = Shown.OWN,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take the photos that are there, if some are missing.")
    ] = False,
    fit: FitOption = Fit.OBJECT,
    image_size: SideOfImagesOption = 256,
    min_object: MinObjectOption = 32,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
) -> None:
    """Make a data set of Stanford Cars: both halves merged, split anew by category."""
    from rich.progress import Progress

    from posegen.data.pairing import ByPath, Partners
    from posegen.data.photo_checks import Masks
    from posegen.data.photo_report import closing
    from posegen.data.published import Recipe, opening
    from posegen.data.segmented import SILHOUETTES
    from posegen.data.silhouettes import Folder
    from posegen.data.stanford_cars import LICENCE, compare, plan_cars, read_stanford_cars
    from posegen_runtime.paths import list_images

    check_apart(out, directory, masks)
    cars = read_stanford_cars(directory)
    if not partial:
        cars.check_whole()
    elif cars.empty:
        print(f"no photo of {len(cars.empty)} categories, the first {cars.empty[0]}")
    if masks is None:
        options = SegmentOptions("car", weights, weights_sha256, device, cache)
        source: Masks | Folder = options.open(cars.root, out / SILHOUETTES)
    else:
        source = ByPath(Partners(masks, list_images(masks, "--masks")))
    recipe = Recipe(
        cars.root, out, source, image_size, fit, min_object, seed, "stanford-cars", LICENCE
    )
    with Progress() as bars:
        bar = bars.add_task("")

        def progress(what: str, done: int, total: int) -> None:
            bars.update(bar, description=what, completed=done + 1, total=total)

        usable, dropped = recipe.check(cars.category, progress)
        dropped += [(photo, "missing") for photo in cars.missing]
        shots = plan_cars(usable, appearance is Shown.OWN, seed)
        outcome = recipe.write(shots, dropped, progress)
    for line in [opening(outcome, out), *compare(shots), *closing(outcome, out)]:
        print(line)
