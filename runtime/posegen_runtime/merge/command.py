"""The merge as a command: with all that a run writes beside its images."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from posegen_runtime.choices import SinkName
from posegen_runtime.errors import PoseGenError
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger import Counts, Ledger
from posegen_runtime.merge.merging import merge
from posegen_runtime.outputs import write_outputs
from posegen_runtime.parts import WHOLE
from posegen_runtime.paths import read_bytes
from posegen_runtime.progress import say
from posegen_runtime.records import read_record
from posegen_runtime.reporting import report_of
from posegen_runtime.run_record import SCHEMA, RunRecord
from posegen_runtime.sinks.opening import reader_of
from posegen_runtime.sinks.tree import RUN


def merge_shards(shards: Sequence[Path], out: Path) -> Counts:
    """Make of the outputs of `--shard 1/N` to `N/N` that of one run, with its manifest, labels,
    record and report.

    Raises `PoseGenError`: see `merge`.
    """
    if not shards:
        raise PoseGenError("--merge: name the outputs of all shards behind it")
    counts = merge(shards, out, _write_outputs)
    records = [_record(shard) for shard in shards]
    options = records[0].options | {
        "out": str(out.absolute()),
        "shard": str(WHOLE),
    }
    record = msgspec.structs.replace(
        records[0],
        state="finished",
        options=options,
        sessions=[session for one in records for session in one.sessions],
        warnings=[],
    )
    record.write(out, counts)
    with Ledger.open(out, write=False) as ledger:
        read = reader_of(out, SinkName(options["sink"]))
        report_of(out, ledger, read, counts, int(options["seed"]))
    return counts


def _write_outputs(out: Path, ledger: Ledger) -> None:
    plan = LabelPlan.of(ledger.identity() or {})
    for line in write_outputs(out, ledger, plan):
        say(f"warning: {line}")


def _record(shard: Path) -> RunRecord:
    file = shard / RUN
    return read_record(read_bytes(file), RunRecord, SCHEMA, file, "run record", "run again")
