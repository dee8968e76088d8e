"""Controls by exchange: every sample gets something that belongs to another one."""

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.int64]


def derangement(groups: Order, seed: int) -> Order | None:
    """A permutation that gives every row one of another group; which one follows from `seed`.

    `groups` int64 [M]; with all of them different this is a permutation without fixed point. None
    where the largest group is more than half of the rows, so that none exists.
    """
    generator = np.random.default_rng([seed, 2])
    names, members = np.unique(groups, return_inverse=True)
    largest = int(np.bincount(members).max(initial=0))
    if len(names) < 2 or 2 * largest > len(groups):
        return None
    # Rows of a group stand together, at most `largest` of them: a step that far leaves the group.
    order = np.lexsort(
        (generator.permutation(len(groups)), generator.permutation(len(names))[members])
    )
    result = np.empty(len(groups), np.int64)
    result[order] = np.roll(order, -largest)
    return result
