"""The command `posegen data photos`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from posegen_runtime.choices import Fit, MaskChannel
from posegen_runtime.errors import PoseGenError


def photos(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of photos.")],
    out: Annotated[Path, typer.Option(help="New directory for the data set.")],
    masks: Annotated[
        Path | None,
        typer.Option(
            help="Folder of masks, by the photos' names.", show_default="the photos' alpha"
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(help="Lines photo,group: which photos show the same physical object."),
    ] = None,
    backgrounds: Annotated[
        Path | None,
        typer.Option(
            help="Folder of empty scenes, by the photos' names, or of a camera that stood still.",
            show_default="the object is filled in",
        ),
    ] = None,
    mask_values: Annotated[
        str, typer.Option(help="What is object: auto, nonzero, half, or an id.")
    ] = "auto",
    mask_channel: Annotated[
        MaskChannel, typer.Option(help="Where in the file the mask is.")
    ] = MaskChannel.AUTO,
    fit: Annotated[
        Fit,
        typer.Option(
            help="Crop a square around the object, pad the whole frame, or stretch it; auto: frame "
            "when the photo is square and the object is not small, else object."
        ),
    ] = Fit.OBJECT,
    image_size: Annotated[int, typer.Option(min=32, max=2048, help="Side in pixels.")] = 256,
    min_object: Annotated[
        int, typer.Option(min=1, help="Drop an object whose longer side has fewer pixels.")
    ] = 32,
    val: Annotated[float, typer.Option(min=0, max=0.5, help="Share held out.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
) -> None:
    """Make a data set from photos and their masks: pair, crop, fill, and say what was dropped."""
    from rich.progress import Progress

    from posegen.data.empty_scenes import EmptyScenes
    from posegen.data.pairing import Partners
    from posegen.data.photo_checks import Checks, check_photos, read_alpha_as, read_masks_as
    from posegen.data.photo_groups import read_groups
    from posegen.data.photo_report import report
    from posegen.data.photos import Writer
    from posegen.render.outputs import claim_directory
    from posegen_runtime.paths import list_images

    _check_apart(out, directory, masks, backgrounds)
    others = [Path(os.path.realpath(folder)) for folder in (masks, backgrounds) if folder]
    found = [path for path in list_images(directory) if not _lies_in(path, others)]
    if not found:
        raise PoseGenError(f"{directory}: all its images lie in --masks or --backgrounds")
    names = [path.relative_to(directory) for path in found]
    if masks is None:
        if mask_channel is not MaskChannel.AUTO:
            raise PoseGenError(
                f"--mask-channel {mask_channel.value}: without --masks the photos' alpha is the "
                "mask; give --masks, or leave it out"
            )
        partners, reading = None, read_alpha_as(directory, found, mask_values)
    else:
        mask_files = list_images(masks, "--masks")
        partners = Partners(masks, mask_files)
        reading = read_masks_as(mask_files, mask_values, mask_channel)
    print(reading.explanation)
    checks = Checks(directory, partners, reading, image_size, fit, min_object)
    grouped = None
    if groups is not None:
        grouped, strangers = read_groups(groups, names)
        if strangers:
            print(f"--groups {groups}: {len(strangers)} lines name no photo; first {strangers[0]}")
    scenes = None
    if backgrounds is not None:
        scenes = EmptyScenes(backgrounds, list_images(backgrounds, "--backgrounds"), names)
    claim_directory(out)
    with Progress() as bars:
        bar = bars.add_task("")

        def progress(what: str, done: int, total: int) -> None:
            bars.update(bar, description=what, completed=done + 1, total=total)

        usable, dropped = check_photos(names, checks, grouped, progress)
        writer = Writer(directory, out, image_size, seed, scenes)
        outcome = writer.write(usable, dropped, val, progress)
    for line in report(outcome, out, groups is not None, scenes is not None):
        print(line)


def _check_apart(out: Path, *sources: Path | None) -> None:
    """Outputs would be taken for photos the next time."""
    target = Path(os.path.realpath(out))
    for source in sources:
        if source is None:
            continue
        real = Path(os.path.realpath(source))
        if real == target or real in target.parents:
            raise PoseGenError(f"--out {out}: lies inside {source}; name a folder apart from it")


def _lies_in(path: Path, folders: list[Path]) -> bool:
    real = Path(os.path.realpath(path))
    return any(folder in real.parents for folder in folders)
