"""`posegen data`: make data sets."""

import time
from pathlib import Path
from typing import Annotated

import typer

from posegen.data.ambiguity_cli import ambiguity
from posegen.data.masks_cli import masks
from posegen.data.options import ElevationOption, MeshOption, UnitOption, UpOption, parse_range
from posegen.data.photos_cli import photos
from posegen.data.silhouettes_cli import silhouettes
from posegen.data.stanford_cli import stanford_cars
from posegen.data.teslapose_cli import teslapose
from posegen.render.meshes import MeshSource, MeshUnit, Up
from posegen_runtime.console import run_app

app = typer.Typer(no_args_is_help=True, help="Make data sets and silhouettes.")


@app.callback()
def data() -> None:
    """Make data sets and silhouettes."""


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="New directory for the data set.")],
    cars: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Cars, or paints of your meshes.",
            show_default="100; of meshes one each, at least 10",
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Frames in all.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    image_size: Annotated[int, typer.Option(min=32, max=2048, help="Side in pixels.")] = 256,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 2,
    mesh: MeshOption = None,
    mesh_unit: UnitOption = MeshUnit.METRE,
    up: UpOption = Up.AUTO,
    elevation: ElevationOption = "0:35",
    fill: Annotated[
        str,
        typer.Option(help="Share of the image's side that the object spans, A:B.", metavar="A:B"),
    ] = "0.4:0.92",
    noise: Annotated[
        str,
        typer.Option(
            help="Sensor noise of a photo: standard deviation at middle grey, levels of 255, A:B.",
            metavar="A:B",
        ),
    ] = "0:0",
    blur: Annotated[
        str,
        typer.Option(
            help="Defocus or motion blur of a photo: standard deviation, pixels, A:B.",
            metavar="A:B",
        ),
    ] = "0:0",
) -> None:
    """Render objects in streets: image, background, appearance, silhouette, pose, camera."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from posegen.render.dataset import claim_output, render_dataset
    from posegen.render.offscreen import require_egl
    from posegen.render.poses import PoseRange
    from posegen.render.sensor import Sensor
    from posegen.render.worker import RenderPlan

    ranges = PoseRange(
        elevation=parse_range("--elevation", elevation, 0, 89),
        fill=parse_range("--fill", fill, 0.05, 0.95),
    )
    sensor = Sensor(
        noise=parse_range("--noise", noise, 0, 64), blur=parse_range("--blur", blur, 0, 16)
    )
    sources = tuple(MeshSource(path, mesh_unit, up) for path in mesh or [])
    for source in sources:
        source.read()
    objects = cars or min(samples, max(len(sources), 10) if sources else 100)
    what = "-".join(source.path.stem for source in sources) or "cars"
    require_egl()
    name = f"{what}-{objects}x{samples}-seed{seed}"
    plan = RenderPlan(out, name, seed, image_size, image_size, ranges, sources, sensor)
    claim_output(out, objects, samples)  # before the bar, which an error would cut through
    started = time.monotonic()
    with Progress(
        "rendering", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    ) as progress:
        bar = progress.add_task("", total=samples)
        index = render_dataset(
            plan, objects, samples, workers, lambda frames: progress.advance(bar, frames)
        )
    elapsed = time.monotonic() - started
    counts = ", ".join(f"{name} {count}" for name, count in index["splits"].items())
    speed = f"{samples / elapsed:.1f} samples/s"
    print(f"{out}: {samples} samples of {objects} objects ({counts}), {speed}")


app.command()(masks)
app.command()(ambiguity)
app.command()(photos)
app.command()(silhouettes)
app.command("stanford-cars")(stanford_cars)
app.command()(teslapose)


def main() -> int:
    return run_app(app)


if __name__ == "__main__":
    raise SystemExit(main())
