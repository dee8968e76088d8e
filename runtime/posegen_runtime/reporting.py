"""The report of a run, from its ledger and `run.json`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from posegen_runtime.ledger import Counts, ImageRow, Ledger
from posegen_runtime.paths import read_bytes
from posegen_runtime.report import ReportRow, write_report
from posegen_runtime.sinks.tree import RUN


def report_of(
    out: Path, ledger: Ledger, read: Callable[[str], bytes], counts: Counts, seed: int
) -> Path:
    """Write `report.html`. `read` gives the bytes of an image or mask that a row names."""
    run = msgspec.json.decode(read_bytes(out / RUN))
    return write_report(out, _rows(ledger), run, read, planned=counts.planned, seed=seed)


def _rows(ledger: Ledger) -> Iterator[ReportRow]:
    return map(_row, ledger.rows())


def _row(row: ImageRow) -> ReportRow:
    return ReportRow(
        mask=row.mask,
        object=row.object,
        appearance=row.appearance,
        background=row.background,
        state=row.state.value,
        reason=row.reason,
        image=row.image,
        mask_file=row.mask_file,
        timings=row.timings,
        finished=row.finished,
    )
