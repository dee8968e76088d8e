"""One run in three shards, and the same without shards."""

from collections.abc import Callable
from pathlib import Path

from posegen_runtime.jobs import Job
from posegen_runtime.ledger import Identity

STEMS = ["a", "b.left", "c/d", "c/d.x", "ü" * 60, "f", "g", "h/i/j", "k", "l m"]
FILES = {"--masks": [(f"{stem}.png", "1:2") for stem in sorted(STEMS)]}


def fails(job: Job) -> bool:
    return job.mask.name == "f.png"


def objects(job: Job) -> tuple[str, ...]:
    return ("2", "10", "1") if job.mask.name in ("c/d.png", "k.png") else ("",)


def identity(shard: str | None, seed: int = 0) -> Identity:
    """As a run has it: `None` without `--shard`."""
    return Identity(values={"--seed": seed, "--shard": shard}, files=FILES)


Make = Callable[..., Path]


def tree(out: Path) -> dict[str, bytes]:
    """Every file but the ledger and the lock."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith(("ledger.sqlite", ".lock"))
    }
