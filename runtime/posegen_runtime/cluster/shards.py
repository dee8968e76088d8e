"""Jobs cut into shards: what one machine makes at a time, and makes again if it is lost."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

import msgspec

from posegen_runtime.ledger import PlannedJob

MOST = 500
"""Images in a shard of files: what a machine that is lost costs, and how long the others may have
to wait for it at the end."""
EACH = 8
"""Shards for each actor, where there are few images: the last ones are over at about one time."""


def size_of_shards(images: int, actors: int) -> int:
    """Jobs in a shard, when so many images are to do."""
    return max(1, min(MOST, -(-images // (actors * EACH))))


def cut(jobs: Iterable[PlannedJob], size: int, together: int = 1) -> Iterator[list[PlannedJob]]:
    """Shards of `size` jobs; where `together` is more than 1, of as many that are done together:
    jobs k · `together` to (k + 1) · `together` - 1."""
    if together > 1:
        for _, block in groupby(jobs, key=lambda job: job.job // together):
            yield list(block)
        return
    coming = iter(jobs)
    while shard := list(islice(coming, size)):
        yield shard


def packed(shard: list[PlannedJob]) -> bytes:
    """A few bytes a job: names of files resemble each other, and all shards lie in memory."""
    return zlib.compress(msgspec.json.encode(shard))


def unpacked(data: bytes) -> list[PlannedJob]:
    return msgspec.json.decode(zlib.decompress(data), type=list[PlannedJob])
