import shutil
import threading
import time
from pathlib import Path

import pytest

from posegen_runtime.cluster import lease as module
from posegen_runtime.cluster.lease import Lease
from posegen_runtime.errors import PoseGenError
from posegen_runtime.sinks.tree import PARTIAL, remove_partial


def test_it_holds_until_it_is_ended_or_the_next_run_starts(tmp_path: Path) -> None:
    lease = Lease.take(tmp_path)
    assert lease.holds()
    lease.end()
    assert not lease.holds()
    lease.end()
    killed = Lease.take(tmp_path)
    killed.begin(0)
    assert all(PARTIAL.fullmatch(path.name) for path in tmp_path.iterdir())
    remove_partial(tmp_path)  # as a run does that goes on here
    assert not killed.holds()
    assert not list(tmp_path.iterdir())


def test_another_folder_of_the_same_name_does_not_hold_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    lease = Lease.take(out)
    shutil.move(out, tmp_path / "elsewhere")
    out.mkdir()
    assert not lease.holds()


def test_begins_are_counted_for_each_shard_until_it_is_over(tmp_path: Path) -> None:
    lease = Lease.take(tmp_path)
    assert [len(lease.begin(shard)) for shard in (1, 2, 1, 1)] == [0, 0, 1, 2]
    assert "process" in lease.begin(2)[0]
    lease.over(1)
    assert len(lease.begin(1)) == 0
    assert len(lease.begin(2)) == 2
    lease.over(1)
    lease.over(2)
    lease.end()
    assert not list(tmp_path.iterdir())


def test_what_watches_it_stops_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKS", 0.01)
    lease, stop = Lease.take(tmp_path), threading.Event()
    with lease.watched(stop):
        time.sleep(0.1)
        assert not stop.is_set()
        lease.end()
        assert stop.wait(10)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="none: cannot be written"):
        Lease.take(tmp_path / "none")
    with pytest.raises(PoseGenError, match="none: cannot be written"):
        Lease(tmp_path / "none", "0" * 16).begin(0)
