"""The command `posegen data ambiguity`."""

from pathlib import Path
from typing import Annotated

import typer

from posegen.data.options import UnitOption, UpOption
from posegen.render.meshes import MeshSource, MeshUnit, Up
from posegen_runtime.errors import PoseGenError


def ambiguity(
    mesh: Annotated[Path, typer.Option(help="Mesh (OBJ, GLB, PLY, STL).")],
    poses: Annotated[Path, typer.Option(help="poses.jsonl or BOP scene, of the mesh's own frame.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The poses.jsonl to write.")],
    category: Annotated[
        str | None,
        typer.Option(help="What the mesh is; poses of others are kept as they are."),
    ] = None,
    mesh_unit: UnitOption = MeshUnit.METRE,
    up: UpOption = Up.AUTO,
) -> None:
    """Write poses with how far each silhouette leaves the heading open."""
    from rich.progress import Progress

    from posegen.render.ambiguity import Turned
    from posegen.render.given_poses import of_category
    from posegen.render.offscreen import require_egl
    from posegen_runtime.poses import AMBIGUOUS, read_poses, write_poses

    source = MeshSource(mesh, mesh_unit, up)
    part = source.read()
    given = read_poses(poses)
    wanted = of_category(given.values(), category, poses)
    require_egl()
    turned = Turned(source, part)
    with Progress() as progress:
        for pose in progress.track(wanted, description="turning"):
            given[pose.mask] = turned.marked(pose)
    turned.close()
    found = [given[pose.mask] for pose in wanted]
    unknown = sum(pose.ambiguity is None for pose in found)
    if unknown == len(found):
        raise PoseGenError(
            f"{poses}: no pose shows the whole of {mesh} before its camera; check --mesh-unit, "
            "t_unit and camera_frame"
        )
    write_poses(out, given.values())
    note = f"; {unknown} show nothing of it, or stand too close to turn it" if unknown else ""
    count = sum(pose.ambiguous for pose in found)
    print(f"{out}: {len(found)} poses, {count} ambiguous (above {AMBIGUOUS}){note}")
