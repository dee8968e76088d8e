"""`ledger.sqlite`: one row an image, the single truth about a run, whatever ended it."""

from posegen_runtime.ledger.database import LEDGER_FILES
from posegen_runtime.ledger.entries import (
    Counts,
    ImageData,
    ImageResult,
    ImageRow,
    JobResult,
    PlannedJob,
    Reason,
)
from posegen_runtime.ledger.identity import Identity, file_mark
from posegen_runtime.ledger.ledger import Ledger
from posegen_runtime.ledger.lock import LOCK, OutputLock
from posegen_runtime.ledger.schema import SCHEMA, State
from posegen_runtime.ledger.view import View

__all__ = [
    "LEDGER_FILES",
    "LOCK",
    "SCHEMA",
    "Counts",
    "Identity",
    "ImageData",
    "ImageResult",
    "ImageRow",
    "JobResult",
    "Ledger",
    "OutputLock",
    "PlannedJob",
    "Reason",
    "State",
    "View",
    "file_mark",
]
