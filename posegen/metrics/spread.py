"""How sure a figure of whole sets of images is: bootstrap over images."""

from collections.abc import Callable

import numpy as np

from posegen.metrics.distances import Doubles, frechet, kernel
from posegen.metrics.estimate import Estimate
from posegen.metrics.features import Floats

KERNEL_DRAWS = 1000
SLOW_DRAWS = 30
"""Of figures that each draw computes anew. Their deviation is known to about a seventh then."""
_NORMAL = 1.96
"""Standard deviations to either side that hold 95 %."""


def kernel_estimate(a: Floats, b: Floats, seed: int) -> Estimate:
    """KID over the whole sets."""
    generator = np.random.default_rng([seed, 4])
    draws = _counts(generator, len(a)), _counts(generator, len(b))
    return _around(float(kernel(a, b)[0]), kernel(a, b, draws))


def frechet_estimate(a: Floats, b: Floats, seed: int) -> Estimate:
    """FID."""
    return _estimate(lambda x, y: frechet(a[x], b[y]), (len(a), len(b)), seed)


def _counts(generator: np.random.Generator, images: int) -> Doubles:
    shares = np.full(images, 1 / images)
    return generator.multinomial(images, shares, KERNEL_DRAWS).astype(np.float64)


def set_estimate(of: Callable[[Floats], float], features: Floats, seed: int) -> Estimate:
    """A figure of one set, such as IS."""
    return _estimate(lambda x: of(features[x]), (len(features),), seed)


def _estimate(of: Callable[..., float], sizes: tuple[int, ...], seed: int) -> Estimate:
    generator = np.random.default_rng([seed, 5])
    drawn = [
        of(*(generator.integers(size, size=size) for size in sizes)) for _ in range(SLOW_DRAWS)
    ]
    return _around(of(*(np.arange(size) for size in sizes)), np.array(drawn))


def _around(value: float, draws: Doubles) -> Estimate:
    """Repeated images shift FID and IS, so only the draws' deviation counts, not where they lie."""
    half = _NORMAL * float(np.std(draws[~np.isnan(draws)], ddof=1))
    return Estimate(value=value, low=value - half, high=value + half)
