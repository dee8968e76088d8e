"""Which category an image's object has."""

import re
from collections.abc import Iterable, Mapping

from posegen_runtime.options import DEFAULT_CATEGORY
from posegen_runtime.poses import Pose

OF_BOP = re.compile(r"obj_(\d{6})")
"""What objects of a BOP scene are called by their number."""


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Ids of categories: 1, 2, ... in alphabetical order, and those of a BOP scene keep theirs."""
    ordered = sorted(names)
    own = {name: int(found[1]) for name in ordered if (found := OF_BOP.fullmatch(name))}
    if min(own.values(), default=0) < 1:
        return {name: number for number, name in enumerate(ordered, 1)}
    others = [name for name in ordered if name not in own]
    return own | {name: number for number, name in enumerate(others, max(own.values()) + 1)}


def category_of(pose: Pose | None, categories: Mapping[str, int]) -> str:
    """The run's one category, else that of the pose, else the default."""
    if len(categories) == 1:
        return next(iter(categories))
    return pose.category if pose else DEFAULT_CATEGORY
