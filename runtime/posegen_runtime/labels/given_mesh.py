"""`--mesh`: the model that the poses are of."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from posegen_runtime.bundle import sha256_of
from posegen_runtime.choices import MeshUnit
from posegen_runtime.errors import PoseGenError
from posegen_runtime.inputs import Inputs
from posegen_runtime.labels.cuboids import ModelBox
from posegen_runtime.labels.mesh_check import check_mesh
from posegen_runtime.labels.models import write_models
from posegen_runtime.meshfile import Mesh, read_mesh
from posegen_runtime.options import RunOptions
from posegen_runtime.progress import say


class GivenMesh(NamedTuple):
    mesh: Mesh
    box: ModelBox
    identity: dict[str, Any]
    """What tells it from another one, and its box: shards are merged without its file."""
    write: Callable[[Path], None]
    """Writes `models/` into a BOP data set; raises `OSError`."""


def open_mesh(options: RunOptions, inputs: Inputs) -> GivenMesh | None:
    """The mesh, once it was seen to fall on the silhouettes; None without one.

    Raises `PoseGenError` where it does not, cannot be read, or cannot be what the poses are of.
    """
    file, unit = options.mesh, options.mesh_unit
    if file is None or unit is None:
        if file is None and unit is None:
            return None
        units = ", ".join(one.value for one in MeshUnit)
        if unit:
            raise PoseGenError(
                f"--mesh-unit {unit.value}: is the unit of a mesh; name its file with --mesh, or "
                "leave --mesh-unit out"
            )
        raise PoseGenError(
            f"--mesh needs --mesh-unit: say what a unit in the file is ({units}; it is never "
            "guessed)"
        )
    if not inputs.poses:
        raise PoseGenError(f"--mesh {file}: is the model of poses; name those with --poses")
    if len(inputs.categories) != 1:
        raise PoseGenError(
            f"--mesh {file}: is one model, and the labels have {len(inputs.categories)} categories "
            f"({', '.join(inputs.categories)}); run each on its own, or name one with --category"
        )
    try:
        mesh = read_mesh(file, unit)
    except ModuleNotFoundError as error:
        raise PoseGenError(
            f"--mesh {file}: to read it needs {error.name}: pip install 'posegen[mesh]'"
        ) from error
    for line in check_mesh(file, mesh, inputs).lines():
        say(line)
    low, high = mesh.vertices.min(axis=0).tolist(), mesh.vertices.max(axis=0).tolist()
    box = ModelBox(
        low=(low[0], low[1], low[2]),
        size=(high[0] - low[0], high[1] - low[1], high[2] - low[2]),
    )
    (number,) = inputs.categories.values()
    identity = {"sha256": sha256_of(file)[:16], "unit": unit.value}
    return GivenMesh(
        mesh=mesh,
        box=box,
        identity={**identity, "low": list(box.low), "size": list(box.size)},
        write=functools.partial(write_models, mesh=mesh, number=number),
    )
