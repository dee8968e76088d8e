"""Formats that were asked for, and hold nothing in the end."""

from collections.abc import Sequence
from pathlib import Path

_HELD = {"bop": "*/*/rgb/*", "kitti": "training/label_2/*.txt"}
"""What a format that can leave objects out has as soon as it holds one."""


def empty_formats(out: Path, formats: Sequence[str]) -> list[str]:
    """Those of the formats whose label files in an output hold no object."""
    return [
        name
        for name, pattern in _HELD.items()
        if name in formats and not any((out / "labels" / name).glob(pattern))
    ]
