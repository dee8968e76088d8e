"""The command `posegen data masks`."""

from pathlib import Path
from typing import Annotated

import typer

from posegen.data.options import ElevationOption, UnitOption, UpOption, parse_range, parse_size
from posegen.render.meshes import MeshSource, MeshUnit, Up
from posegen_runtime.errors import PoseGenError


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
        str | None,
        typer.Option(
            help="Pixels, of sampled poses, or of a BOP scene without masks and images.",
            metavar="WxH",
            show_default="256x256 of sampled poses",
        ),
    ] = None,
    fov: Annotated[
        float, typer.Option(min=1, max=150, help="Degrees across the image's shorter side.")
    ] = 40.0,
    category: Annotated[
        str | None,
        typer.Option(
            help="What the mesh is: of --poses only these are drawn; sampled poses are named so.",
            show_default="the mesh's name",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of sampled poses.")] = 0,
    mesh_unit: UnitOption = MeshUnit.METRE,
    up: UpOption = Up.AUTO,
    ambiguity: Annotated[
        bool,
        typer.Option(
            help="Also write how far each silhouette leaves the heading open; about 40 ms each."
        ),
    ] = True,
) -> None:
    """Write silhouettes of a mesh and their poses, ready for `posegen-run --masks --poses`."""
    from rich.progress import Progress

    from posegen.render.ambiguity import Turned
    from posegen.render.given_poses import of_category
    from posegen.render.mesh_masks import sample_poses, write_masks
    from posegen.render.offscreen import require_egl
    from posegen_runtime.bop import SCENE_GT
    from posegen_runtime.poses import read_poses

    if (poses is None) == (sample is None):
        raise PoseGenError("give either --poses FILE or --sample N")
    source = MeshSource(mesh, mesh_unit, up)
    part = source.read()
    if sample is None:
        size = parse_size(image_size) if image_size else None
        if size and poses and poses.is_file() and poses.name != SCENE_GT:
            raise PoseGenError(
                f"--image-size {image_size}: each pose in {poses} has its own image_size; leave "
                "--image-size out"
            )
        wanted = of_category(read_poses(str(poses), size).values(), category, poses)
    elif distance is None:
        raise PoseGenError("--sample needs --distance A:B, metres from the camera to the object")
    else:
        wanted = sample_poses(
            source,
            part,
            sample,
            parse_range("--distance", distance, 1e-6, 1e6),
            parse_range("--elevation", elevation, -89, 89),
            parse_size(image_size or "256x256"),
            fov,
            category or mesh.stem,
            seed,
        )
    require_egl()
    turned = Turned(source, part) if ambiguity else None
    with Progress() as progress:
        bar = progress.add_task("silhouettes", total=len(wanted))
        empty = write_masks(part, wanted, out, lambda: progress.advance(bar), turned)
    if turned:
        turned.close()
    note = f"; {empty} are empty, the object lies outside the image" if empty else ""
    print(f"{out}: {len(wanted)} silhouettes and poses.jsonl{note}")
