"""Which of the poses in a file are those of the one mesh."""

from collections.abc import Iterable

from posegen_runtime.errors import PoseGenError
from posegen_runtime.poses import Pose


def of_category(poses: Iterable[Pose], category: str | None, file: object) -> list[Pose]:
    """The poses of `category`; without one all, if they are of one category.

    Raises:
        PoseGenError: the poses are of several categories and none is chosen, or not of the chosen
            one: the mesh would be drawn where something else stands. `file` is named in it.
    """
    everything = list(poses)
    found = sorted({pose.category for pose in everything})
    if category is None and len(found) > 1:
        raise PoseGenError(
            f"{file}: poses of {len(found)} categories, the mesh is one object; choose with "
            f"--category: {', '.join(found)}"
        )
    if category is not None and category not in found:
        raise PoseGenError(f"--category {category}: {file} has only {', '.join(found)}")
    return [pose for pose in everything if category in (None, pose.category)]
