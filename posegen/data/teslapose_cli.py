"""The command `posegen data teslapose`."""

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
from posegen_runtime.errors import PoseGenError


def teslapose(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="MODEL/LOCATION/image, mask, background.")
    ],
    out: Annotated[Path, typer.Option(help="New directory for the data set.")],
    segment: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Find the masks with Mask R-CNN: a class of COCO.",
            show_default="those in mask/",
        ),
    ] = None,
    weights: WeightsOption = None,
    weights_sha256: HashOption = None,
    device: DeviceOption = Device.AUTO,
    cache: CacheOption = None,
    val: Annotated[float, typer.Option(min=0, max=0.3, help="Share for validation.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=0.3, help="Share for the test.")] = 0.1,
    run: Annotated[int, typer.Option(min=1, help="Photos in a row that are held out.")] = 32,
    gap: Annotated[int, typer.Option(min=0, help="Photos left out on either side of those.")] = 2,
    fit: FitOption = Fit.OBJECT,
    image_size: SideOfImagesOption = 256,
    min_object: MinObjectOption = 32,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
) -> None:
    """Make a data set of TeslaPose, split so that neighbouring photos stay together."""
    from rich.progress import Progress

    from posegen.data.photo_checks import Masks
    from posegen.data.photo_report import closing
    from posegen.data.published import Recipe, opening
    from posegen.data.segmented import SILHOUETTES
    from posegen.data.silhouettes import Folder
    from posegen.data.teslapose import (
        LICENCE,
        LocationMasks,
        compare,
        plan_teslapose,
        read_teslapose,
        split_rows,
        write_backgrounds,
    )

    check_apart(out, directory)
    places = read_teslapose(directory)
    if segment is not None:
        options = SegmentOptions(segment, weights, weights_sha256, device, cache)
        source: Masks | Folder = options.open(directory, out / SILHOUETTES)
    elif any(place.masks for place in places):
        source = LocationMasks(places)
    else:
        raise PoseGenError(f"{directory}: no mask folder beside image; find masks: --segment car")
    splits = split_rows([place.photos for place in places], val, test, run, gap, seed)
    models = {photo: place.model for place in places for photo in place.photos if splits[photo]}
    recipe = Recipe(directory, out, source, image_size, fit, min_object, seed, "teslapose", LICENCE)
    with Progress() as bars:
        bar = bars.add_task("")

        def progress(what: str, done: int, total: int) -> None:
            bars.update(bar, description=what, completed=done + 1, total=total)

        usable, dropped = recipe.check(models, progress)
        dropped += [(photo, "beside another split") for photo, name in splits.items() if not name]
        shots = plan_teslapose(usable, splits, seed)
        scenes = split_rows([place.backgrounds for place in places], val, test, run, gap, seed)
        outcome = recipe.write(shots, dropped, progress)
        written = write_backgrounds(directory, out, scenes, image_size, progress)
    for line in [opening(outcome, out), *compare(places, outcome.splits, written)]:
        print(line)
    for line in closing(outcome, out):
        print(line)
