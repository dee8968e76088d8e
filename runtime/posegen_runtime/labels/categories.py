"""Which category an image's object has."""

from collections.abc import Mapping

from posegen_runtime.options import DEFAULT_CATEGORY
from posegen_runtime.poses import Pose


def category_of(pose: Pose | None, categories: Mapping[str, int]) -> str:
    """The run's one category, else that of the pose, else the default."""
    if len(categories) == 1:
        return next(iter(categories))
    return pose.category if pose else DEFAULT_CATEGORY
