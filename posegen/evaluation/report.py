"""An evaluation as files: JSON with everything, CSV with one row an image."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from posegen.evaluation.bins import Bin
from posegen.evaluation.figures import Result
from posegen.evaluation.measure import Columns
from posegen.evaluation.samples import Samples
from posegen.evaluation.verdict import Verdict
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic

SCHEMA = 1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`--json`. `figures` over all images, `bins` by yaw, elevation and area. Shares are in [0, 1],
    angles in degrees, PSNR in dB, colours in ΔE*76; null: it does not apply."""

    schema: int = SCHEMA
    model: str
    model_sha256: str
    inputs: tuple[str, ...]
    """What the model was given; without `viewpoint` where it was withheld."""
    dataset: dict[str, Any]
    """name, sha256, split, images (evaluated), objects."""
    own_segmenter: bool
    """Silhouettes were found by a segmenter trained on the data set itself."""
    seed: int
    version: str
    verdict: Verdict
    figures: dict[str, Result]
    bins: dict[str, list[Bin]]


def claim_file(path: Path) -> None:
    """Make sure that `path` can be written: its folder is made.

    Raises `PoseGenError` naming it, before hours of work are lost.
    """
    if path.is_dir():
        raise PoseGenError(f"{path}: is a folder; name the file to write")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PoseGenError(
            f"{path.parent}: cannot be made ({error.strerror}); name another folder"
        ) from None
    if not os.access(path.parent, os.W_OK):
        raise PoseGenError(f"{path.parent}: cannot be written; name another folder")


def write_json(path: Path, report: Report) -> None:
    write_atomic(path, msgspec.json.format(msgspec.json.encode(report)) + b"\n")


def write_csv(path: Path, samples: Samples, columns: Columns) -> None:
    """A row for each image: its photo's path in the data set, then every column; empty where a
    value does not apply."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["photo", *columns])
    for row, sample in enumerate(samples.samples):
        values = [columns[name][row] for name in columns]
        photo = sample.photo.relative_to(samples.root).as_posix()
        writer.writerow([photo, *("" if np.isnan(v) else f"{v:.6g}" for v in values)])
    write_atomic(path, text.getvalue().encode())
