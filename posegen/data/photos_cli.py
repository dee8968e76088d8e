"""The command `posegen data photos`."""

import os
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
    segment: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="Find the masks with Mask R-CNN: a class of COCO."),
    ] = None,
    weights: WeightsOption = None,
    weights_sha256: HashOption = None,
    device: DeviceOption = Device.AUTO,
    cache: CacheOption = None,
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
    fit: FitOption = Fit.OBJECT,
    image_size: SideOfImagesOption = 256,
    min_object: MinObjectOption = 32,
    val: Annotated[float, typer.Option(min=0, max=0.5, help="Share held out.")] = 0.1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
) -> None:
    """Make a data set from photos and their masks: pair, crop, fill, and say what was dropped."""
    from rich.progress import Progress

    from posegen.data.empty_scenes import EmptyScenes
    from posegen.data.pairing import Partners
    from posegen.data.photo_checks import Checks, Masks, check_photos, read_alpha_as, read_masks_as
    from posegen.data.photo_groups import read_groups
    from posegen.data.photo_plan import plan_shots
    from posegen.data.photo_report import report
    from posegen.data.photos import Writer
    from posegen.data.segmented import SILHOUETTES, segmented
    from posegen.render.outputs import claim_directory
    from posegen_runtime.paths import list_images

    check_apart(out, directory, masks, backgrounds)
    others = [Path(os.path.realpath(folder)) for folder in (masks, backgrounds) if folder]
    found = [path for path in list_images(directory) if not _lies_in(path, others)]
    if not found:
        raise PoseGenError(f"{directory}: all its images lie in --masks or --backgrounds")
    names = [path.relative_to(directory) for path in found]
    _check_mask_options(masks, segment, weights, mask_values, mask_channel)
    partners: Masks | None = None
    if masks is None and segment is None:
        reading = read_alpha_as(directory, found, mask_values)
        print(reading.explanation)
    elif masks is not None:
        mask_files = list_images(masks, "--masks")
        partners = Partners(masks, mask_files)
        reading = read_masks_as(mask_files, mask_values, mask_channel)
        print(reading.explanation)
    grouped = None
    if groups is not None:
        grouped, strangers = read_groups(groups, names)
        if strangers:
            print(f"--groups {groups}: {len(strangers)} lines name no photo; first {strangers[0]}")
    scenes = None
    if backgrounds is not None:
        scenes = EmptyScenes(backgrounds, list_images(backgrounds, "--backgrounds"), names)
    segmenting = None
    if segment is not None:
        options = SegmentOptions(segment, weights, weights_sha256, device, cache)
        segmenting = options.open(directory, out / SILHOUETTES)
    claim_directory(out)
    with Progress() as bars:
        bar = bars.add_task("")

        def progress(what: str, done: int, total: int) -> None:
            bars.update(bar, description=what, completed=done + 1, total=total)

        if segmenting is not None:
            partners, reading = segmented(segmenting, names, progress)
        checks = Checks(directory, partners, reading, image_size, fit, min_object)
        usable, dropped = check_photos(names, checks, grouped, progress)
        writer = Writer(directory, out, image_size, seed, scenes)
        outcome = writer.write(plan_shots(usable, val, seed), dropped, progress)
    for line in report(outcome, out, groups is not None, scenes is not None):
        print(line)


def _check_mask_options(
    masks: Path | None,
    segment: str | None,
    weights: Path | None,
    values: str,
    channel: MaskChannel,
) -> None:
    if segment is not None:
        given = {
            "--masks": masks is not None,
            "--mask-values": values != "auto",
            "--mask-channel": channel is not MaskChannel.AUTO,
        }
        for option in [name for name, there in given.items() if there]:
            raise PoseGenError(f"{option}: with --segment the masks are found; leave one out")
    elif weights is not None:
        raise PoseGenError("--weights: Mask R-CNN's, of use with --segment CLASS only")
    elif masks is None and channel is not MaskChannel.AUTO:
        raise PoseGenError(
            f"--mask-channel {channel.value}: without --masks the photos' alpha is the "
            "mask; give --masks, or leave it out"
        )


def _lies_in(path: Path, folders: list[Path]) -> bool:
    real = Path(os.path.realpath(path))
    return any(folder in real.parents for folder in folders)
