"""The outputs that are merged, and what they must have in common."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import Identity, ImageRow, Ledger, OutputLock, View
from posegen_runtime.ledger.identity import Value
from posegen_runtime.parts import Part

SHARD = "--shard"
"""Under which an identity holds the part."""


class Shard(msgspec.Struct, frozen=True):
    """The whole output of one `--shard I/N`."""

    path: Path
    part: Part
    jobs: int
    view: View

    def identity(self, **values: Value) -> Identity:
        """Its identity, with these values for others; its files can be read once."""
        identity = self.view.whole_identity()
        if identity is None:
            raise ValueError("a shard has an identity")
        return Identity(values={**identity.values, **values}, files=identity.files)


@contextmanager
def open_shards(paths: Sequence[Path]) -> Iterator[list[Shard]]:
    """All shards of one run, in order; no run writes them meanwhile.

    Raises `PoseGenError` where one is no output of a run, is being written, is missing or there
    twice, was made otherwise than the others, or is not finished.
    """
    real = [os.path.realpath(path) for path in paths]
    for number, path in enumerate(paths):
        if real[number] in real[:number]:
            raise PoseGenError(f"{path}: is named twice; name each shard once")
    with ExitStack() as stack:
        shards = [_open(path, stack) for path in paths]
        shards.sort(key=lambda shard: shard.part.index)
        _check_complete(shards)
        _check_alike(shards)
        _check_finished(shards)
        yield shards


def jobs_in_order(shards: Sequence[Shard]) -> Iterator[list[ImageRow]]:
    """The rows of each job of the whole run, in the order that it has without shards."""
    streams = [groupby(shard.view.rows(), key=lambda row: row.job) for shard in shards]
    for number in range(sum(shard.jobs for shard in shards)):
        job, place = divmod(number, len(shards))
        found, rows = next(streams[place], (None, iter(())))
        if found != job:
            raise PoseGenError(
                f"{shards[place].path}: its ledger lacks job {job}; make that shard again"
            )
        yield list(rows)


def _open(path: Path, stack: ExitStack) -> Shard:
    with Ledger.open(path, write=False):
        pass  # refuses what is no output before a lock file is made in it
    if os.access(path, os.W_OK):
        stack.enter_context(OutputLock(path))
    ledger = stack.enter_context(Ledger.open(path, write=False))
    view = stack.enter_context(ledger.view())
    named = (view.identity() or {}).get(SHARD)
    if not isinstance(named, str):
        raise PoseGenError(
            f"{path}: was not made with --shard; name the outputs of --shard 1/N to N/N"
        )
    jobs = view.jobs()
    if jobs is None:
        raise PoseGenError(f"{path}: was stopped before it had jobs; run its command again")
    return Shard(path, Part.parse(named), jobs, view)


def _check_complete(shards: Sequence[Shard]) -> None:
    if not shards:
        raise PoseGenError("--merge: names no output; name those of --shard 1/N to N/N")
    by_part: dict[Part, Path] = {}
    for shard in shards:
        part = shard.part
        if part.count != shards[0].part.count:
            raise PoseGenError(
                f"{shard.path}: is --shard {part}, and {shards[0].path} is --shard "
                f"{shards[0].part}; merge shards of one run"
            )
        if part in by_part:
            raise PoseGenError(
                f"{shard.path}: is --shard {part}, as {by_part[part]} is; name each once"
            )
        by_part[part] = shard.path
    count = shards[0].part.count
    missing = [str(part) for part in (Part(i, count) for i in range(count)) if part not in by_part]
    if missing:
        shown = ", ".join(missing[:10]) + (", …" if len(missing) > 10 else "")
        raise PoseGenError(f"--merge: lacks --shard {shown}; name the outputs of all {count}")


def _check_alike(shards: Sequence[Shard]) -> None:
    first, *others = shards
    for other in others:
        words = first.view.changed(other.identity(**{SHARD: str(first.part)}), by_size=True)
        if words:
            raise PoseGenError(
                f"{other.path}: was made otherwise than {first.path}: {'; '.join(words)}, where "
                f'"there" is {first.path}; make both by the same command but for --shard'
            )
    jobs = sum(shard.jobs for shard in shards)
    for shard in shards:
        if shard.jobs != shard.part.size(jobs):
            raise PoseGenError(
                f"{shard.path}: has {shard.jobs} of {jobs} jobs, and --shard {shard.part} would "
                f"have {shard.part.size(jobs)}; make all shards by the same command"
            )


def _check_finished(shards: Sequence[Shard]) -> None:
    pending = [(shard.path, shard.view.counts().pending) for shard in shards]
    words = [f"{path} ({count} to make)" for path, count in pending if count]
    if words:
        raise PoseGenError(
            f"--merge: not finished: {', '.join(words)}; run the command of each again, then merge"
        )
