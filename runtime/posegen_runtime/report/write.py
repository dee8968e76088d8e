"""From rows to the file."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import read_bytes, write_atomic
from posegen_runtime.report.gallery import Read, Size, gather
from posegen_runtime.report.page import Galleries, page
from posegen_runtime.report.rows import ReportRow
from posegen_runtime.report.tally import Tally
from posegen_runtime.report.verified import TURNED, WORST
from posegen_runtime.sinks.tree import REPORT

SIDE, BYTES = 224, 12_000
"""Of a picture that shows what judges found."""


def write_report(
    out: Path,
    rows: Iterable[ReportRow],
    run: Mapping[str, Any],
    read: Read | None = None,
    planned: int = 0,
    seed: int = 0,
) -> Path:
    """Write ``out/report.html``, whole or not at all, and return its path. Under 3 MB.

    `rows` is every image, read once and in any order; `planned` counts the rows where some have no
    row yet, which then are pending too. `run` is the content of `run.json`, of which any part may
    be missing. `read` gives the bytes of a row's `image` or `mask_file` (default: files below
    `out`) and raises `PoseGenError` or `OSError` where there are none: such an image is left out
    of the gallery. Which images the gallery shows follows from `seed`.

    Raises `PoseGenError` naming the file when it cannot be written.
    """
    options = run.get("options")
    pasted = isinstance(options, Mapping) and bool(options.get("paste"))
    tally = Tally(rows, planned, seed, pasted)
    files = read or _below(out)
    galleries = Galleries(
        sample=gather(tally.sample.shuffled(), files),
        worst=gather(tally.verified.worst(), files, Size(WORST, SIDE, BYTES, True), sort=False),
        turned=gather(tally.verified.turned(), files, Size(TURNED, SIDE, BYTES, True), sort=False),
    )
    path = out / REPORT
    write_atomic(path, page(tally, galleries, run).encode())
    return path


def _below(out: Path) -> Read:
    def read(name: str) -> bytes:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise PoseGenError(f"{name}: is not below {out}")
        return read_bytes(out / path)

    return read
