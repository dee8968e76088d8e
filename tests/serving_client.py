"""The client under examples/serving, run as a user runs it."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from posegen_runtime.bundle import Bundle
from posegen_runtime.images import read_rgb

CLIENT = Path(__file__).parents[1] / "examples/serving/client.py"


def run_client(
    url: str, model: str, folder: Path, bundle: Bundle, *more: str, leave_out: str = ""
) -> subprocess.CompletedProcess[str]:
    """From `folder`/masks to `folder`/out, with the bundle's own appearance and background, but
    without the option `leave_out`."""
    arguments = ["--url", url, "--model", model, "--masks", folder / "masks"]
    for name, file in bundle.manifest.defaults.items():
        if leave_out != f"--{name}":
            arguments += [f"--{name}", bundle.root / file]
    arguments += ["--out", folder / "out", "--batch", "2", *more]
    return subprocess.run(
        [sys.executable, CLIENT, *map(str, arguments)], capture_output=True, text=True
    )


def write_masks(folder: Path, masks: np.ndarray) -> np.ndarray:
    (folder / "masks").mkdir()
    (folder / "masks/notes.txt").write_text("no mask")
    for number, mask in enumerate(masks):
        cv2.imwrite(str(folder / f"masks/{number}.png"), mask)
    return masks


def written(folder: Path) -> np.ndarray:
    return np.stack([read_rgb(file) for file in sorted((folder / "out").iterdir())])
