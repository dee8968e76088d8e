"""Options that the commands of `posegen data` share, and how they are read."""

import os
from pathlib import Path
from typing import Annotated

import typer

from posegen.render.meshes import MeshUnit, Up
from posegen.render.offscreen import MAX_SIDE
from posegen_runtime.choices import Fit
from posegen_runtime.errors import PoseGenError


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


def check_apart(out: Path, *sources: Path | None) -> None:
    """Outputs would be taken for photos the next time."""
    target = Path(os.path.realpath(out))
    for source in sources:
        if source is None:
            continue
        real = Path(os.path.realpath(source))
        if real == target or real in target.parents:
            raise PoseGenError(f"--out {out}: lies inside {source}; name a folder apart from it")


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
FitOption = Annotated[
    Fit,
    typer.Option(
        help="Crop a square around the object, pad the whole frame, or stretch it; auto: frame "
        "when the photo is square and the object is not small, else object."
    ),
]
SideOfImagesOption = Annotated[int, typer.Option(min=32, max=2048, help="Side in pixels.")]
MinObjectOption = Annotated[
    int, typer.Option(min=1, help="Drop an object whose longer side has fewer pixels.")
]
