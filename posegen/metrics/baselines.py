"""The paper's baseline and oracles (section 5.3): what images cost nothing to make."""

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.int64]


def random_rows(of: int, count: int, seed: int) -> Order:
    """`count` rows drawn from `of`; each as often as any other, or one less often."""
    generator = np.random.default_rng([seed, 6])
    rounds = [generator.permutation(of) for _ in range(-(-count // of))]
    return np.concatenate(rounds)[:count].astype(np.int64)
