"""`posegen-run --status`: how far a run is, also while it goes on."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from posegen_runtime.errors import printable
from posegen_runtime.ledger import Ledger
from posegen_runtime.ledger.view import View

REASONS = 20
"""Lines of the table; the rest is counted."""


def images_done(out: Path) -> int | None:
    """In how many images the objects of a run with --paste are; None without."""
    with Ledger.open(out, write=False) as ledger, ledger.view() as view:
        return _images_done(view)


def _images_done(view: View) -> int | None:
    pasted = (view.identity() or {}).get("--paste") is not None
    return view.images_done() if pasted else None


def print_status(out: Path) -> None:
    """Print counts by state and the reasons, the most frequent first.

    Raises `PoseGenError` where `out` holds no run.
    """
    with Ledger.open(out, write=False) as ledger, ledger.view() as view:
        counts, reasons = view.counts(), view.reasons()
        images = _images_done(view)
    print(
        f"{printable(str(out))}: {counts.planned} planned = {counts.done} done + "
        f"{counts.rejected} rejected + {counts.failed} failed + {counts.pending} pending"
    )
    if images is not None:
        print(f"counts are of objects; those done are in {images} images")
    if not reasons:
        return
    table = Table("state", "images" if images is None else "objects", "reason", "such as")
    for reason in reasons[:REASONS]:
        table.add_row(
            reason.state.value, str(reason.count), escape(reason.reason), escape(reason.example)
        )
    Console().print(table)
    if len(reasons) > REASONS:
        print(f"and {len(reasons) - REASONS} more reasons: see report.html or the ledger")
