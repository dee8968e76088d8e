"""One contact sheet of a run: mask, appearance, background, image, outline."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import write_png
from posegen_runtime.rows import Made

Image = npt.NDArray[np.uint8]

ROWS = 4
BLOCKS = 2
"""Blocks of `ROWS` jobs stand side by side, so that the sheet fits a screen."""
SHOWN = ROWS * BLOCKS
GAP = 4
HEADER = 20
BACKDROP = 32
TEXT = (224, 224, 224)
OUTLINE = (255, 64, 64)
EVERY = 3.0
"""Seconds between two writings of a live sheet."""
COST = 0.02
"""Share of one core that drawing and writing live sheets may take."""
COLUMNS = ("mask", "appearance", "background", "image", "outline")


class LivePreview:
    """A contact sheet of the `SHOWN` newest images, written to `path` while a run goes on.

    A thread of its own draws it, at most every `every` seconds and less often where that would
    take more than `COST` of its time; a viewer sees one whole sheet or the next. `add` only keeps
    references to the newest jobs. A sheet that cannot be written is left out and never ends a
    run, except the last: `close` raises.
    """

    def __init__(self, path: Path, every: float = EVERY) -> None:
        self._path = path
        self._every = every
        self._newest: deque[Made] = deque(maxlen=SHOWN)
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="preview", daemon=True)
        self._thread.start()

    def add(self, made: Made) -> None:
        """Look at the next image. From any thread."""
        with self._lock:
            self._newest.append(made)
        self._changed.set()

    def close(self) -> Path | None:
        """Write the last sheet; its path, or None when no image was made. Ends the thread.

        Raises `PoseGenError` when the sheet cannot be written.
        """
        self._closing.set()
        self._changed.set()
        self._thread.join()
        return self._write()

    def _work(self) -> None:
        while self._changed.wait() and not self._closing.is_set():
            self._changed.clear()
            start = time.thread_time()
            with suppress(PoseGenError):
                self._write()
            took = time.thread_time() - start
            self._closing.wait(max(self._every, took / COST))

    def _write(self) -> Path | None:
        with self._lock:
            newest = list(self._newest)
        if not newest:
            return None
        write_png(self._path, contact_sheet(newest[::-1]))
        return self._path


def contact_sheet(jobs: Sequence[Made]) -> Image:
    """One row a job: each input that the bundle takes, the image, and the image with the
    silhouette's outline. More than `ROWS` jobs go into further blocks to the right."""
    blocks = [_block(jobs[start : start + ROWS]) for start in range(0, len(jobs), ROWS)]
    height = blocks[0].shape[0]
    gap = np.full((height, 2 * GAP, 3), BACKDROP, np.uint8)
    parts: list[Image] = []
    for block in blocks:
        missing = height - block.shape[0]
        padded = cv2.copyMakeBorder(
            block, 0, missing, 0, 0, cv2.BORDER_CONSTANT, value=(BACKDROP,) * 3
        )
        parts += [gap, np.asarray(padded, np.uint8)]
    return np.hstack(parts[1:])


def _block(jobs: Sequence[Made]) -> Image:
    rows = [_cells(job) for job in jobs]
    names = [name for name in COLUMNS if name in rows[0]]
    height, width = rows[0]["mask"].shape[:2]
    sheet = np.full(
        (HEADER + len(rows) * (height + GAP), len(names) * (width + GAP) - GAP, 3),
        BACKDROP,
        np.uint8,
    )
    for column, name in enumerate(names):
        left = column * (width + GAP)
        cv2.putText(sheet, name, (left + 4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, TEXT, 1)
        for row, cells in enumerate(rows):
            top = HEADER + row * (height + GAP)
            sheet[top : top + height, left : left + width] = cells[name]
    return sheet


def _cells(job: Made) -> dict[str, Image]:
    prepared, image = job.prepared, job.image
    cells = {
        "mask": cv2.cvtColor(prepared.mask, cv2.COLOR_GRAY2RGB),
        "appearance": prepared.appearance,
        "background": prepared.background,
        "image": image,
        "outline": outlined(image, prepared.mask),
    }
    return {name: np.asarray(cell) for name, cell in cells.items() if cell is not None}


def outlined(image: Image, mask: Image) -> Image:
    """A copy of `image` with the border of `mask` drawn in."""
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    copy = np.ascontiguousarray(image).copy()
    cv2.drawContours(copy, contours, -1, OUTLINE, 1)
    return copy
