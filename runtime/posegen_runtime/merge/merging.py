"""From the outputs of all shards to one output."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from posegen_runtime.jobs import Job
from posegen_runtime.ledger import Counts, ImageRow, JobResult, Ledger
from posegen_runtime.links import Linker
from posegen_runtime.merge.files import add_files, add_tars, has_tars
from posegen_runtime.merge.shards import Shard, jobs_in_order, open_shards
from posegen_runtime.merge.target import complete, open_target
from posegen_runtime.sinks.samples import SHARDS
from posegen_runtime.sinks.tree import remove_partial
from posegen_runtime.sources import Source

AT_ONCE = 500
"""Jobs in a transaction of the ledger, after their files."""

WriteOutputs = Callable[[Path, Ledger], None]
"""Writes what follows from a whole ledger: labels and manifest."""


def merge(
    shards: Sequence[Path],
    out: Path,
    write_outputs: WriteOutputs,
    show: Callable[[int, int], None] = lambda over, jobs: None,
) -> Counts:
    """Make `out` what one run without `--shard` would have written; gives its ledger's counts.

    `shards` are the outputs of `--shard 1/N` to `N/N`, in any order. Images, masks and the labels
    beside them are linked (hard links, so they take no room) or copied to another disk. Of
    webdataset shards the tars keep what they hold and are numbered anew, so such an output is one
    that no run goes on with. `show` is told how many of how many jobs are over.

    A merge that was cut off goes on when it is called again. One that is called again after shards
    were run with `--retry-failed` takes over what came of that.

    Raises `PoseGenError`: see `open_shards` and `open_target`; and for a file that is missing or
    cannot be written.
    """
    with open_shards(shards) as opened, open_target(out, opened) as ledger:
        jobs = sum(shard.jobs for shard in opened)
        ledger.plan((_job(rows[0]) for rows in jobs_in_order(opened)), jobs)
        linker = Linker(out, "make that shard again with --fresh")
        with_tars = [shard for shard in opened if has_tars(shard)]
        if with_tars:
            remove_partial(out, [SHARDS])
        for shard in with_tars:
            add_tars(shard, linker, out)
        results = _results(ledger, opened, linker)
        while batch := list(islice(results, AT_ONCE)):
            ledger.finish(batch)
            show(batch[-1].job + 1, jobs)
        write_outputs(out, ledger)
        if not with_tars:
            complete(ledger, opened)
        return ledger.counts()


def _results(ledger: Ledger, shards: Sequence[Shard], linker: Linker) -> Iterator[JobResult]:
    """Of each job that is not done in `ledger` yet, once its files are there."""
    numbered = enumerate(jobs_in_order(shards))
    for planned in ledger.pending(retry_failed=True):
        number, rows = next(one for one in numbered if one[0] == planned.job)
        shard = shards[number % len(shards)]
        yield JobResult(number, [add_files(shard, row, linker) for row in rows])


def _job(row: ImageRow) -> Job:
    """As it was planned: a ledger holds names and no paths."""

    def source(name: str) -> Source:
        return Source(Path(name), name)

    return Job(
        mask=source(row.mask),
        stem=row.stem,
        variation=row.variation,
        variation_suffix=row.suffix,
        appearance=source(row.appearance) if row.appearance is not None else None,
        background=source(row.background) if row.background is not None else None,
    )
