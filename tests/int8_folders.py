"""Folders to calibrate on: made-up silhouettes and conditions, like those of a golden set."""

from pathlib import Path

import numpy as np

from posegen_export import synthetic
from posegen_runtime.images import write_png

COUNT = 24


def write_folders(root: Path, size: int) -> Path:
    """`masks/`, `appearance/` and `background/` below `root`, `COUNT` images each."""
    generator = np.random.default_rng(5)
    shape = (size, size)
    makers = {
        "masks": synthetic.car_mask,
        "appearance": synthetic.appearance,
        "background": synthetic.background,
    }
    for name, make in makers.items():
        (root / name).mkdir(parents=True)
        for number in range(COUNT):
            write_png(root / name / f"{number:02}.png", make(generator, shape))
    return root


def arguments(bundle: Path, folders: Path, conditioned: bool = True) -> list[str]:
    """Of `posegen-export int8`, on few samples."""
    names = ("masks", "appearance", "background") if conditioned else ("masks",)
    given = [text for name in names for text in (f"--{name}", str(folders / name))]
    return ["int8", str(bundle), *given, "--samples", "18", "--method", "minmax"]


def cache_of(bundle: Path) -> Path:
    """Beside the bundle, as the next."""
    return bundle.with_name(f"{bundle.name}.cache.json")


def report_of(bundle: Path) -> Path:
    return bundle.with_name(f"{bundle.name}.report")
