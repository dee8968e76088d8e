"""A figure and how sure it is."""

import math

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95 % bootstrap interval. `value` None: it has none, and `missing` says why
    where that does not go without saying."""

    value: float | None
    low: float | None = None
    high: float | None = None
    missing: str = ""


def estimate(value: float, span: tuple[float, float]) -> Estimate:
    """NaN is no value."""
    if math.isnan(value):
        return Estimate(value=None)
    return Estimate(value=value, low=span[0], high=span[1])
