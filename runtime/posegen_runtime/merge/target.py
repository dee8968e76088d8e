"""The directory that is merged into, and the ledger in it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from posegen_runtime.errors import PoseGenError
from posegen_runtime.ledger import LEDGER_FILES, LOCK, Identity, Ledger, OutputLock
from posegen_runtime.merge.shards import SHARD, Shard

OWN = frozenset({LOCK, *LEDGER_FILES})
"""What a merge makes before it is known as one."""


@contextmanager
def open_target(out: Path, shards: Sequence[Shard]) -> Iterator[Ledger]:
    """The ledger of `out`, which is new, empty, or what an earlier merge of these shards left.

    Raises `PoseGenError` when it holds anything else, lies inside a shard or holds one, is being
    written, or cannot be written.
    """
    _check_apart(out, shards)
    held = _held(out)
    if held and not (out / LEDGER_FILES[-1]).exists():
        raise _not_empty(out, held)
    with OutputLock(out) as lock, Ledger.open(out, write=True, lock=lock) as ledger:
        if ledger.identity() is None:
            if held:
                raise _not_empty(out, held)
            ledger.set_identity(_going_on(shards))
        elif not _is_this_merge(ledger, shards):
            raise PoseGenError(
                f"--out {out}: holds the output of another run or merge; name a new directory"
            )
        yield ledger


def complete(ledger: Ledger, shards: Sequence[Shard]) -> None:
    """From now on the command of the shards, without `--shard`, goes on with the output."""
    ledger.set_identity(_without_shards(shards))


def _going_on(shards: Sequence[Shard]) -> Identity:
    """No run goes on with it."""
    return shards[0].identity(**{SHARD: None, "--merge": len(shards)})


def _without_shards(shards: Sequence[Shard]) -> Identity:
    return shards[0].identity(**{SHARD: None})


def _is_this_merge(ledger: Ledger, shards: Sequence[Shard]) -> bool:
    if not ledger.changed(_going_on(shards)):
        return True
    return not ledger.counts().pending and not ledger.changed(_without_shards(shards))


def _check_apart(out: Path, shards: Sequence[Shard]) -> None:
    real = Path(os.path.realpath(out))
    for shard in shards:
        other = Path(os.path.realpath(shard.path))
        if real == other or real in other.parents or other in real.parents:
            raise PoseGenError(
                f"--out {out}: lies inside the shard {shard.path}, or the other way round; "
                "name a folder apart from all of them"
            )


def _held(out: Path) -> list[str]:
    """What no merge made before its ledger told whose `out` is."""
    try:
        return sorted(set(os.listdir(out)) - OWN) if out.exists() else []
    except OSError as error:
        raise PoseGenError(f"--out {out}: cannot be read ({error.strerror or error})") from error


def _not_empty(out: Path, held: list[str]) -> PoseGenError:
    return PoseGenError(f"--out {out}: is not empty (it holds {held[0]}); name a new directory")
