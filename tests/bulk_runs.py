"""Real runs of `posegen-run` in processes of their own, and what they leave behind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from posegen_runtime.generator import SHIPPED_BUNDLE
from posegen_runtime.ledger import Counts, ImageRow, Ledger, State

COMMAND = [
    sys.executable,
    "-c",
    "import sys; from posegen_runtime.cli import main; sys.exit(main())",
]
MASKS = 20
PER_MASK = 9
"""As many as there are pairs of the golden set's three appearances and three backgrounds."""
JOBS = MASKS * PER_MASK


def write_inputs(folder: Path) -> None:
    """The shipped model's golden set as folders: real silhouettes and photos."""
    for kind in ("masks", "appearance", "background"):
        (folder / kind).mkdir(parents=True)
    golden = SHIPPED_BUNDLE / "golden"
    for file in sorted(golden.glob("mask_*.png"))[:MASKS]:
        shutil.copy(file, folder / "masks")
    for kind in ("appearance", "background"):
        for file in sorted(golden.glob(f"{kind}_*.png")):
            shutil.copy(file, folder / kind)


def arguments(inputs: Path, out: Path, *more: str) -> list[str]:
    return [
        *COMMAND,
        *("--masks", str(inputs / "masks"), "--out", str(out), "--backend", "cpu"),
        *("--appearance", str(inputs / "appearance"), "--background", str(inputs / "background")),
        *("--per-mask", str(PER_MASK), *more),
    ]


def run(inputs: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(inputs, out, *more), capture_output=True, text=True, timeout=300
    )


def counts_of(out: Path) -> Counts:
    with Ledger.open(out, write=False) as ledger:
        return ledger.counts()


def done_rows(out: Path) -> list[ImageRow]:
    with Ledger.open(out, write=False) as ledger:
        return list(ledger.rows([State.DONE]))


def outputs(out: Path) -> dict[str, bytes]:
    """Every file that a data set is made of, by its path; partial ones among them."""
    found = {}
    for top in ("images", "masks", "labels", "manifest.jsonl"):
        place = out / top
        for file in [place] if place.is_file() else place.rglob("*"):
            if file.is_file() and not file.is_symlink():
                found[file.relative_to(out).as_posix()] = file.read_bytes()
    return found


def final_names(out: Path) -> list[Path]:
    """Images and masks that stand under their final names."""
    return [
        Path(folder, name)
        for top in ("images", "masks")
        for folder, _, names in os.walk(out / top)
        for name in names
        if not name.startswith(".")
    ]


def is_whole(file: Path) -> bool:
    return cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR) is not None
