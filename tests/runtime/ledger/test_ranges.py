"""Jobs by their numbers, whatever became of them, and doing them again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_jobs import made_jobs, result, rows_of
from posegen_runtime.ledger import Counts, Identity, ImageData, Ledger, State


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path, write=True) as ledger:
        yield ledger


def test_all_jobs_of_a_range_come_once_and_in_order(ledger: Ledger) -> None:
    ledger.plan(made_jobs(10), 10)
    everything = list(ledger.pending())
    ledger.finish([result(4, "1", "2"), result(5, "", state=State.FAILED, reason="is empty")])
    found = ledger.jobs_between(3, 7)
    assert [(job.job, job.attempts) for job in found] == [(3, 0), (4, 1), (5, 1), (6, 0)]
    assert [job.mask for job in found] == [job.mask for job in everything[3:7]]
    assert [job.job for job in ledger.jobs_between(8, 1000)] == [8, 9]
    assert ledger.jobs_between(10, 20) == []


def test_a_reopened_range_is_to_do_again(ledger: Ledger, tmp_path: Path) -> None:
    ledger.plan(made_jobs(6), 6)
    ledger.finish([result(1), result(2, "1", "2"), result(3), result(4)])
    ledger.reopen(2, 4)
    assert ledger.counts() == Counts(planned=7, done=2, rejected=0, failed=0, pending=5)
    assert [job.job for job in ledger.pending()] == [0, 2, 3, 5]
    again = [row for row in rows_of(tmp_path) if row.job == 2]
    assert [(row.object, row.attempts, row.image) for row in again] == [("1", 1, ""), ("2", 1, "")]
    assert [(row.data, row.timings, row.finished) for row in again] == [(ImageData(), {}, None)] * 2
    ledger.finish([result(2, "1", "2"), result(3)])
    assert ledger.counts() == Counts(planned=7, done=5, rejected=0, failed=0, pending=2)


def test_the_number_of_jobs_is_known_from_planning_on(ledger: Ledger) -> None:
    with ledger.view() as view:
        assert view.jobs() is None
    ledger.plan([], 0)
    with ledger.view() as view:
        assert view.jobs() == 0


def test_planned_jobs_are_not_counted_by_their_objects(ledger: Ledger) -> None:
    ledger.plan(made_jobs(3), 3)
    ledger.finish([result(1, "1", "2", "3")])
    with ledger.view() as view:
        assert view.jobs() == 3


def test_a_whole_identity_comes_back(ledger: Ledger, tmp_path: Path) -> None:
    with ledger.view() as view:
        assert view.whole_identity() is None
    files = {"--masks": [("a.png", "1:2"), ("b.png", "3:4")], "--appearance": [("c.jpg", "5:6")]}
    ledger.set_identity(Identity(values={"--seed": 7, "--fit": None}, files=files))
    with Ledger.open(tmp_path / "other", write=True) as other:
        with ledger.view() as view:
            identity = view.whole_identity()
            assert identity is not None
            other.set_identity(identity)
        with ledger.view() as view:
            again = view.whole_identity()
            assert again is not None
            assert other.changed(again) == []
        assert other.identity() == {"--seed": 7, "--fit": None}
    more = {**files, "--appearance": [("c.jpg", "5:6"), ("d.jpg", "7:8")]}
    changed = Identity(values={"--seed": 7, "--fit": None}, files=more)
    assert ledger.changed(changed) == ["--appearance: 1 file more, such as d.jpg"]
