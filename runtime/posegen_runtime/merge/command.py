"""The merge as a command: with all that a run writes beside its images."""

import functools
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from posegen_runtime.choices import SinkName
from posegen_runtime.errors import PoseGenError
from posegen_runtime.labels.background import BackgroundLabels
from posegen_runtime.labels.models import FOLDER as MODELS
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger import Counts, Ledger
from posegen_runtime.merge.merging import merge
from posegen_runtime.outputs import write_outputs
from posegen_runtime.parts import WHOLE
from posegen_runtime.paths import read_bytes
from posegen_runtime.progress import Progress, say
from posegen_runtime.records import read_record
from posegen_runtime.reporting import report_of
from posegen_runtime.run_record import SCHEMA, RunRecord
from posegen_runtime.sinks.opening import reader_of
from posegen_runtime.sinks.tree import RUN


def merge_shards(shards: Sequence[Path], out: Path) -> Counts:
    """Make of the outputs of `--shard 1/N` to `N/N` that of one run, with its manifest, labels,
    record and report.

    Raises `PoseGenError`: see `merge`; and where `out` holds a run that is no merge.
    """
    if not shards:
        raise PoseGenError("--merge: name the outputs of all shards behind it")
    if (out / RUN).exists() and not _record(out).shards:
        raise PoseGenError(f"--out {out}: holds the output of a run; name a new directory")
    records = [_record(shard) for shard in shards]
    warnings: list[str] = []

    def write(out: Path, ledger: Ledger) -> None:
        identity = ledger.identity() or {}
        plan = LabelPlan.of(identity)
        background = _background_labels(records[0], identity.get("--background-labels"))
        # All shards have the same models.
        models = functools.partial(_copy_models, shards[0])
        warnings.extend(write_outputs(out, ledger, plan, background, models))

    with ExitStack() as stack:
        counts = merge(shards, out, write, _Shown(stack))
    for line in warnings:
        say(f"warning: {line}")
    options = records[0].options | {
        "out": str(out.absolute()),
        "shard": str(WHOLE),
    }
    record = msgspec.structs.replace(
        records[0],
        state="finished",
        options=options,
        sessions=[session for one in records for session in one.sessions],
        warnings=warnings,
        shards={str(one.options["shard"]): _kept(one) for one in records},
    )
    record.write(out, counts)
    with Ledger.open(out, write=False) as ledger:
        read = reader_of(out, SinkName(options["sink"]))
        report_of(out, ledger, read, counts, int(options["seed"]))
    return counts


def _background_labels(record: RunRecord, digest: object) -> BackgroundLabels | None:
    """Those that the shards were run with; they may have changed since."""
    if digest is None:
        return None
    labels = BackgroundLabels(Path(record.options["background_labels"]))
    if labels.digest != digest:
        raise PoseGenError(
            f"--background-labels {record.options['background_labels']}: was changed since the "
            "shards were made; put it back as it was"
        )
    return labels


def _copy_models(shard: Path, folder: Path) -> None:
    models = shard / "labels" / "bop" / MODELS
    if models.is_dir():
        shutil.copytree(models, folder / MODELS)


def _kept(record: RunRecord) -> dict[str, Any]:
    """What the record of one shard tells and that of the whole would not."""
    return {
        "hardware": record.hardware,
        "versions": record.versions,
        "seconds": round(sum(session.seconds for session in record.sessions), 3),
        "made": sum(session.made for session in record.sessions),
        "warnings": record.warnings,
    }


class _Shown:
    """Progress, once it is known how many jobs there are; until `stack` is left."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._progress: Progress | None = None
        self._over = 0

    def __call__(self, over: int, jobs: int) -> None:
        if self._progress is None:
            self._progress = self._stack.enter_context(Progress(jobs, jobs, "merging"))
        self._progress.add(False, over - self._over)
        self._over = over


def _record(shard: Path) -> RunRecord:
    file = shard / RUN
    return read_record(read_bytes(file), RunRecord, SCHEMA, file, "run record", "run again")
