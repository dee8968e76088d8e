"""`posegen data masks`: exact silhouettes of a mesh at given or sampled poses.

Poses are of the mesh's own frame, as its file has it; only the unit is scaled. So they fit every
other tool that reads the same file.
"""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

import cv2
import msgspec
import numpy as np

from posegen.render.ambiguity import Turned
from posegen.render.camera import intrinsics, orbit
from posegen.render.meshes import MeshSource, MeshUnit
from posegen.render.model import Floats, Part
from posegen.render.offscreen import MAX_SIDE
from posegen.render.outputs import claim_directory, make_directory
from posegen.render.pose_views import METRES, view_of
from posegen.render.silhouettes import SilhouetteRenderer
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic
from posegen_runtime.poses import Pose, write_poses

MASKS, POSES = "masks", "poses.jsonl"


def sample_poses(
    source: MeshSource,
    part: Part,
    count: int,
    distance: tuple[float, float],
    elevation: tuple[float, float],
    size: tuple[int, int],
    fov: float,
    category: str,
    seed: int,
) -> list[Pose]:
    """Random poses of a mesh that stands upright, seen from all round.

    Args:
        part: the mesh as `source` reads it, in metres.
        distance: of the camera from the centre of the mesh's box, metres.
        elevation: of the camera above the horizontal, degrees.
        size: (width, height) of the image.
        fov: degrees that the image's shorter side spans.

    Raises:
        PoseGenError: the camera could stand inside the object, or beyond the mesh's origin: readers
            refuse a pose with the origin behind the camera, which nearly always has a wrong frame.
    """
    upright = part.vertices @ source.upright.T
    centre = (upright.min(axis=0) + upright.max(axis=0)) / 2
    radius = float(np.linalg.norm(upright - centre, axis=1).max())
    if distance[0] <= radius:
        raise PoseGenError(
            f"--distance {distance[0]:g}: the camera would stand inside {source.path}, whose "
            f"vertices reach {radius:.4g} m from its centre; go further away or mend --mesh-unit"
        )
    away = float(np.linalg.norm(centre))
    if distance[0] <= away:
        raise PoseGenError(
            f"--distance {distance[0]:g}: the origin of {source.path} lies {away:.4g} m from the "
            "mesh's centre and could come behind the camera, where a pose cannot be told from one "
            "of a wrong camera frame; centre the mesh on its origin or go further away"
        )
    unit = "m" if source.unit is MeshUnit.METRE else "mm"
    poses = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        yaw, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(*elevation))
        R, t = orbit(centre, yaw, height, rng.uniform(*distance))
        entry = {
            "mask": f"{number:06d}.png",
            "category": category,
            "R_m2c": (R @ source.upright).ravel().tolist(),
            "t_m2c": (t / METRES[unit]).tolist(),
            "t_unit": unit,
            "cam_K": intrinsics(*size, fov).ravel().tolist(),
            "image_size": size,
            "camera_frame": "opencv",
            "pixel_center": "integer",
        }
        poses.append(msgspec.convert(entry, Pose))
    return poses


def write_masks(
    part: Part,
    poses: Sequence[Pose],
    out: Path,
    progress: Callable[[], None] = lambda: None,
    turned: Turned | None = None,
) -> int:
    """Write ``out``/masks/NAME.png for each pose and ``out``/poses.jsonl; return how many
    silhouettes are empty because the object lies outside the image.

    Args:
        part: the mesh in metres, in its own frame.
        poses: in any convention; they are written as they came.
        turned: of the same mesh; each pose then gets its ambiguity.

    Raises:
        PoseGenError: `out` is not empty or cannot be written, a mask's name leads out of it or is
            taken, an image is too large to draw, or every silhouette is empty: then nothing stays
            there.
    """
    named = _named(poses)
    is_new = not out.exists()
    claim_directory(out)
    renderer = _Renderers(part)
    empty = 0
    written = []
    for pose in named:
        mask = renderer.mask(pose)
        empty += not mask.any()
        path = out / MASKS / pose.mask
        make_directory(path.parent)
        write_atomic(path, cv2.imencode(".png", mask)[1].tobytes())
        written.append(turned.marked(pose) if turned else pose)
        progress()
    if empty == len(named):
        shutil.rmtree(out / MASKS)
        if is_new:
            out.rmdir()
        raise PoseGenError(
            f"{out}: every silhouette is empty, no pose puts the mesh into its image; check "
            "--mesh-unit, t_unit and camera_frame"
        )
    write_poses(out / POSES, written)
    return empty


class _Renderers:
    """A window of the size last used, loaded with the mesh in the unit last used."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._renderer: SilhouetteRenderer | None = None
        self._key: tuple[tuple[int, int], str] | None = None

    def mask(self, pose: Pose) -> np.ndarray:
        key = (pose.image_size, pose.t_unit)
        if self._renderer is None or self._key is None or self._key[0] != key[0]:
            if self._renderer is not None:
                self._renderer.close()
            self._renderer = SilhouetteRenderer(*pose.image_size)
            self._key = None
        if self._key != key:
            vertices: Floats = self._part.vertices / METRES[pose.t_unit]
            self._renderer.load(vertices, self._part.faces)
            self._key = key
        return self._renderer.render(view_of(pose))


def _named(poses: Iterable[Pose]) -> list[Pose]:
    """The poses with mask names that end in .png and stay inside the output directory.

    What cannot be drawn or written is refused here, before the first file is.
    """
    result: list[Pose] = []
    taken: set[PurePosixPath] = set()
    for pose in poses:
        name = PurePosixPath(pose.mask).with_suffix(".png")
        if name.is_absolute() or ".." in name.parts:
            raise PoseGenError(f"mask {pose.mask}: leads out of the output directory; rename it")
        if name in taken:
            raise PoseGenError(f"mask {name}: named twice (silhouettes are PNG); rename one")
        if max(pose.image_size) > MAX_SIDE:
            width, height = pose.image_size
            raise PoseGenError(
                f"mask {name}: image_size is {width}×{height}, sides of at most {MAX_SIDE} can be "
                "drawn; give [width, height] in pixels"
            )
        taken.add(name)
        result.append(msgspec.structs.replace(pose, mask=str(name)))
    for name in taken:
        if folder := next((parent for parent in name.parents if parent in taken), None):
            raise PoseGenError(f"mask {folder}: is also the folder of {name}; rename one")
    return result
