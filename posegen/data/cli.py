"""`posegen data`: make data sets."""

import time
from pathlib import Path
from typing import Annotated

import typer

from posegen.data.photos_cli import photos
from posegen.render.meshes import MeshSource, MeshUnit, Up
from posegen.render.offscreen import MAX_SIDE
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError

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


def parse_size(text: str) -> tuple[int, int]:
    """``WxH`` in pixels → (width, height)."""
    try:
        width, height = (int(side) for side in text.lower().split("x"))
    except ValueError:
        raise PoseGenError(f"--image-size {text}: write it as WxH, such as 640x480") from None
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise PoseGenError(f"--image-size {text}: each side needs 1 to {MAX_SIDE} pixels")
    return width, height


MeshOption = Annotated[
    list[Path] | None,
    typer.Option("--mesh", help="Mesh to render (OBJ, GLB, PLY, STL); may be given many times."),
]
UnitOption = Annotated[MeshUnit, typer.Option(help="Unit of the mesh's coordinates.")]
UpOption = Annotated[
    Up,
    typer.Option(help="Axis of the mesh that points up; auto: y of a GLB, as glTF has it, else z."),
]
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
            help="Cars, or paints of your meshes. [default: 100; of meshes one each, at least 10]",
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

    from posegen.render.dataset import render_dataset
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


@app.command()
def masks(
    out: Annotated[Path, typer.Option(help="New directory: masks/ and poses.jsonl.")],
    mesh: Annotated[Path, typer.Option(help="Mesh (OBJ, GLB, PLY, STL).")],
    poses: Annotated[
        Path | None, typer.Option(help="poses.jsonl or BOP scene: poses of the mesh's own frame.")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Number of random poses.")] = None,
    distance: Annotated[
        str | None,
        typer.Option(
            help="Camera to the mesh's centre, metres; more than from there to the mesh's origin.",
            metavar="A:B",
        ),
    ] = None,
    elevation: ElevationOption = "0:35",
    image_size: Annotated[
        str, typer.Option(help="Pixels, of sampled poses.", metavar="WxH")
    ] = "256x256",
    fov: Annotated[
        float, typer.Option(min=1, max=150, help="Degrees across the image's shorter side.")
    ] = 40.0,
    category: Annotated[
        str | None,
        typer.Option(
            help="What the mesh is: of --poses only these are drawn; sampled poses are named so. "
            "[default: the mesh's name]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of sampled poses.")] = 0,
    mesh_unit: UnitOption = MeshUnit.METRE,
    up: UpOption = Up.AUTO,
) -> None:
    """Write silhouettes of a mesh and their poses, ready for `posegen-run --masks --poses`."""
    from rich.progress import Progress

    from posegen.render.given_poses import of_category
    from posegen.render.mesh_masks import sample_poses, write_masks
    from posegen.render.offscreen import require_egl
    from posegen_runtime.poses import read_poses

    if (poses is None) == (sample is None):
        raise PoseGenError("give either --poses FILE or --sample N")
    source = MeshSource(mesh, mesh_unit, up)
    part = source.read()
    if sample is None:
        wanted = of_category(read_poses(str(poses)).values(), category, poses)
    elif distance is None:
        raise PoseGenError("--sample needs --distance A:B, metres from the camera to the object")
    else:
        wanted = sample_poses(
            source,
            part,
            sample,
            parse_range("--distance", distance, 1e-6, 1e6),
            parse_range("--elevation", elevation, -89, 89),
            parse_size(image_size),
            fov,
            category or mesh.stem,
            seed,
        )
    require_egl()
    with Progress() as progress:
        bar = progress.add_task("silhouettes", total=len(wanted))
        empty = write_masks(part, wanted, out, lambda: progress.advance(bar))
    note = f"; {empty} are empty, the object lies outside the image" if empty else ""
    print(f"{out}: {len(wanted)} silhouettes and poses.jsonl{note}")


app.command()(photos)


def main() -> int:
    return run_app(app)


if __name__ == "__main__":
    raise SystemExit(main())
