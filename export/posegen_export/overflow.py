"""How near values in half precision come to where it ends; nothing here needs torch."""

from collections.abc import Mapping
from typing import Any

ACTIVATION_LIMIT = 16_000.0
"""The largest absolute value that an activation may reach: a quarter of what float16 holds, for the
inputs that nobody has tried."""
LARGEST = 8
"""Activations recorded in the bundle."""


def overflowing(peaks: Mapping[str, float]) -> list[str]:
    """One line for each tensor above `ACTIVATION_LIMIT`, in order of execution."""
    return [
        f"activation: {name} reaches {peak:,.0f}, must be at most {ACTIVATION_LIMIT:,.0f} "
        "(float16 ends at 65,504)"
        for name, peak in peaks.items()
        if peak > ACTIVATION_LIMIT
    ]


def record_of(peaks: Mapping[str, float]) -> dict[str, Any]:
    """For the parity entry of ``bundle.json``."""
    largest = sorted(peaks.items(), key=lambda item: -item[1])[:LARGEST]
    return {"activation_limit": ACTIVATION_LIMIT, "largest_activations": dict(largest)}
