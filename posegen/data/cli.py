"""`posegen data`: make data sets."""

import time
from pathlib import Path
from typing import Annotated

import typer
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError

from posegen.render.meshes import MeshSource, MeshUnit, Up

app = typer.Typer(no_args_is_help=True, help="Make data sets and silhouettes.")


@app.callback()
def data() -> None:
    """Make data sets and silhouettes."""


def parse_range(name: str, text: str, low: float, high: float) -> tuple[float, float]:
    """``A:B`` with low <= A <= B <= high; a single number stands for A = B."""
    try:
        first, _, second = text.partition(":")
        start, end = float(first), float(second or first)
    except ValueError:
        raise PoseGenError(f"{name} {text}: write it as A:B, two numbers") from None
    if not low <= start <= end <= high:
        raise PoseGenError(f"{name} {text}: needs {low:g} <= A <= B <= {high:g}")
    return start, end


MeshOption = Annotated[
    list[Path] | None,
    typer.Option("--mesh", help="Mesh to render (OBJ, GLB, PLY, STL); may be given many times."),
]
UnitOption = Annotated[MeshUnit, typer.Option(help="Unit of the mesh's coordinates.")]
UpOption = Annotated[Up, typer.Option(help="Axis of the mesh that points up.")]
ElevationOption = Annotated[
    str, typer.Option(help="Camera above the horizontal, degrees, A:B.", metavar="A:B")
]


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="New directory for the data set.")],
    cars: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Objects: cars, or paints of your meshes. [default: 100 cars, or one a mesh]",
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Frames in all.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    image_size: Annotated[int, typer.Option(min=32, max=2048, help="Side in pixels.")] = 256,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 2,
    mesh: MeshOption = None,
    mesh_unit: UnitOption = MeshUnit.METRE,
    up: UpOption = Up.Z,
    elevation: ElevationOption = "0:35",
    fill: Annotated[
        str,
        typer.Option(help="Share of the image's side that the object spans, A:B.", metavar="A:B"),
    ] = "0.4:0.92",
) -> None:
    """Render objects in streets: image, background, appearance, silhouette, pose, camera."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from posegen.render.dataset import render_dataset
    from posegen.render.offscreen import require_egl
    from posegen.render.poses import PoseRange
    from posegen.render.worker import RenderPlan

    ranges = PoseRange(
        elevation=parse_range("--elevation", elevation, 0, 89),
        fill=parse_range("--fill", fill, 0.05, 0.95),
    )
    sources = tuple(MeshSource(path, mesh_unit, up) for path in mesh or [])
    for source in sources:
        source.read()
    objects = cars or len(sources) or min(100, samples)
    what = "-".join(source.path.stem for source in sources) or "cars"
    require_egl()
    plan = RenderPlan(
        out, f"{what}-{objects}x{samples}-seed{seed}", seed, image_size, image_size, ranges, sources
    )
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


def main() -> int:
    return run_app(app)


if __name__ == "__main__":
    raise SystemExit(main())
