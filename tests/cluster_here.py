"""A Ray cluster that is this process: its tasks are calls, its pool of actors is one maker.

All of a run but Ray itself is real. `Here.before` is called before each shard, by its number.
"""

import pickle
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime.cluster import engine
from posegen_runtime.cluster.maker import Order, ShardMaker, ShardResult, from_bytes, to_bytes
from posegen_runtime.cluster.shards import unpacked
from whole_runs import outputs


class Here:
    """Replaces Ray for `engine`; `shards` are the numbers of those that were made."""

    __version__ = "0"

    def __init__(self, monkeypatch: pytest.MonkeyPatch, machines: int = 1) -> None:
        self.before: Callable[[int, Order], None] = lambda shard, order: None
        self.shards: list[int] = []
        self.times = 1
        self._machines = machines

        @contextmanager
        def connected(address: str | None) -> Iterator[Here]:
            yield self

        monkeypatch.setattr(engine, "connected", connected)
        monkeypatch.setattr(engine, "_on_all", self._on_all)
        # Of `Cluster`, whose `self` comes first.
        monkeypatch.setattr(
            engine.Cluster, "_made", lambda _, ahead, order: self._made(ahead, order)
        )

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {
                "NodeID": str(number),
                "NodeManagerHostname": f"host{number}",
                "Alive": True,
                "Resources": {"CPU": 2.0},
            }
            for number in range(self._machines)
        ]

    def _on_all(
        self, ray: Any, pool: Any, function: Callable[[Any], Any], given: Any
    ) -> Sequence[Any]:
        return [function(given) for _ in pool.machines]

    def _made(self, ahead: Any, order: Order) -> Iterator[ShardResult]:
        maker = ShardMaker(pickle.loads(pickle.dumps(order)))
        try:
            for item in (item for item in ahead.items for _ in range(self.times)):
                self.shards.append(item["shard"])
                self.before(item["shard"], order)
                made = maker(item["shard"], unpacked(item["jobs"]))
                yield from_bytes(to_bytes(made))
        finally:
            maker.close()


FACTS = "SELECT job, object, mask, stem, variation, suffix, appearance, background, state, attempts"


def ledger_rows(out: Path) -> list[tuple]:
    """All but times."""
    with sqlite3.connect(out / "ledger.sqlite") as connection:
        return list(
            connection.execute(f"{FACTS}, reason, image, mask_file, data FROM images ORDER BY id")
        )


def assert_same(first: Path, second: Path) -> None:
    assert outputs(first) == outputs(second)
    assert ledger_rows(first) == ledger_rows(second)
    assert [name.name for name in second.glob(".*.part")] == []
