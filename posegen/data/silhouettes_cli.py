"""The command `posegen data silhouettes`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from posegen.choices import Device
from posegen.data.options import check_apart
from posegen.data.segment_options import (
    BatchOption,
    CacheOption,
    DeviceOption,
    HashOption,
    ScoreOption,
    SegmentOptions,
    SideOption,
    ThresholdOption,
    WeightsOption,
)
from posegen_runtime.errors import PoseGenError

SETTINGS = "silhouettes.json"


def silhouettes(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of photos.")],
    out: Annotated[
        Path, typer.Option(help="Folder for masks/ and silhouettes.csv; an unfinished one goes on.")
    ],
    name: Annotated[str, typer.Option("--class", help="What is wanted: a class of COCO.")] = "car",
    weights: WeightsOption = None,
    weights_sha256: HashOption = None,
    min_score: ScoreOption = 0.5,
    threshold: ThresholdOption = 0.5,
    min_side: SideOption = 800,
    batch_size: BatchOption = 4,
    device: DeviceOption = Device.AUTO,
    cache: CacheOption = None,
) -> None:
    """Find the silhouette of the largest object of a class in each photo, with Mask R-CNN."""
    from rich.progress import Progress

    from posegen.data.silhouettes import MANIFEST, MASKS, report, write_manifest
    from posegen_runtime.paths import image_names

    check_apart(out, directory)
    photos = [Path(name) for name in image_names(directory)]
    options = SegmentOptions(
        name, weights, weights_sha256, device, cache, batch_size, min_score, threshold, min_side
    )
    folder = options.open(directory, out / MASKS)
    _claim(out, {"photos": str(directory.resolve()), **folder.segmenter.identity})
    with Progress() as bars:
        bar = bars.add_task("")

        def progress(what: str, done: int, total: int) -> None:
            bars.update(bar, description=what, completed=done + 1, total=total)

        outlines = folder.find(photos, progress)
    write_manifest(out / MANIFEST, outlines)
    for line in report(outlines, out):
        print(line)


def _claim(out: Path, settings: dict[str, Any]) -> None:
    """A folder is new, or holds masks of the same photos that were found in the same way."""
    from posegen.render.outputs import claim_directory
    from posegen_runtime.paths import write_atomic

    file = out / SETTINGS
    if not file.is_file():
        claim_directory(out)
        write_atomic(file, (json.dumps(settings, indent=2) + "\n").encode())
        return
    try:
        there = json.loads(file.read_bytes())
    except ValueError:
        there = None
    if not isinstance(there, dict):
        raise PoseGenError(f"{file}: unreadable; name another --out")
    for key, value in settings.items():
        if there.get(key) != value:
            raise PoseGenError(
                f"--out {out}: holds silhouettes found with {key} {there.get(key)}, not {value}; "
                "name another folder"
            )
