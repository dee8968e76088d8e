"""Outputs of one run in three shards, and of the same without shards."""

from pathlib import Path

import pytest

from plain_files import PlainSink, write_outputs
from posegen_runtime.ledger import Ledger
from posegen_runtime.parts import Part
from sharded_run import STEMS, Make, fails, identity, objects
from small_runs import jobs_of, run


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes the output of a shard, "2/3", or of the whole run, None; `options` as in `run`."""

    def make(shard: str | None, name: str = "", seed: int = 0, **options) -> Path:
        out = tmp_path / (name or f"part {shard}".replace("/", " of "))
        jobs = list((Part.parse(shard) if shard else Part(0, 1)).of(jobs_of(STEMS)))
        given = {"fails": fails, "objects": objects, "identity": identity(shard, seed), **options}
        run(out, given.pop("sink", PlainSink)(out), jobs, **given)
        return out

    return make


@pytest.fixture
def parts(make: Make) -> list[Path]:
    return [make(f"{number}/3") for number in (1, 2, 3)]


@pytest.fixture
def whole(make: Make) -> Path:
    out = make(None, name="whole")
    with Ledger.open(out, write=False) as ledger:
        write_outputs(out, ledger)
    return out
