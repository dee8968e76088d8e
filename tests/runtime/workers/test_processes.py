"""Worker processes give what a call in this process would: results, errors, in any order."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import fake_work
from fake_work import SIZE, Reader, Writer, made, made_array, made_job
from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.rows import Failure, Made, Prepared, data_of
from posegen_runtime.verdicts import Verdict
from posegen_runtime.workers.messages import WorkerTraceback
from posegen_runtime.workers.processes import ProcessWorkers


@pytest.fixture
def start() -> Iterator[Callable[..., ProcessWorkers]]:
    started = []

    def make(count: int = 1, prepare: Callable = Reader) -> ProcessWorkers:
        started.append(ProcessWorkers(prepare, Writer(), count, SIZE))
        return started[-1]

    yield make
    for workers in started:
        workers.close()


Start = Callable[..., ProcessWorkers]


def same(one: Prepared, other: Prepared) -> bool:
    for name in Prepared.__struct_fields__:
        mine, its = getattr(one, name), getattr(other, name)
        if isinstance(mine, np.ndarray) and isinstance(its, np.ndarray):
            if mine.dtype != its.dtype or not np.array_equal(mine, its):
                return False
        elif mine != its:
            return False
    return True


def one(workers: ProcessWorkers, number: int = 0, name: str = "") -> Prepared:
    [prepared] = workers.prepare(made_job(number, name)).result()
    assert isinstance(prepared, Prepared)
    return prepared


def test_what_is_read_here_and_there_is_the_same(start: Start) -> None:
    workers = start(2)
    replies = [workers.prepare(made_job(number)) for number in range(100)]
    for number in np.random.default_rng(0).permutation(100):
        [prepared] = replies[number].result()
        assert same(prepared, made(made_job(int(number))))
        assert prepared.job == made_job(int(number))
        with pytest.raises(ValueError, match="read-only"):
            prepared.mask[0, 0] = 1


def test_what_is_written_here_and_there_is_the_same(start: Start) -> None:
    workers = start(2)
    prepared = [one(workers, number) for number in range(50)]
    images = [made_array(number, *SIZE, 3) for number in range(50)]
    order = np.random.default_rng(1).permutation(50)
    replies = {n: workers.write([Made(prepared[n], images[n])]) for n in order}
    for number, reply in replies.items():
        (written,) = reply.result()
        assert written.files["image"] == images[number].tobytes()
        assert written.result.image == prepared[number].stem
        assert written.result.timings == {"write": 0.5}
        expected = data_of(prepared[number], None)
        placement = {
            k: tuple(v) if isinstance(v, list) else v
            for k, v in written.result.data.placement.items()
        }
        assert placement == expected.placement
        assert written.result.data.viewpoint == expected.viewpoint


def test_a_mask_file_of_many_objects(start: Start) -> None:
    workers = start(1)
    jobs = [made_job(1, "objects-300.png"), made_job(2, "objects-40.png")]
    replies = [workers.prepare(job) for job in jobs]
    for job, reply in zip(jobs, replies, strict=True):
        expected = Reader()(job)
        items = reply.result()
        assert len(items) == len(expected)
        made = []
        for item, wanted in zip(items, expected, strict=True):
            if isinstance(wanted, Failure):
                assert item == wanted
            else:
                assert isinstance(item, Prepared)
                assert same(item, wanted)
                verdict = Verdict(iou=0.5, shift=0.1, size_ratio=0.9, reason="no" * (len(made) % 2))
                made.append(Made(item, made_array(len(made), *SIZE, 3), verdict))
        written = workers.write(made).result()
        for one_, wanted in zip(written, made, strict=True):
            assert one_.files["image"] == wanted.image.tobytes()
            assert one_.result.object == wanted.prepared.object
            assert one_.result.data.verdict == wanted.verdict


def test_arrays_stay_as_long_as_they_are_held_and_their_room_comes_back(start: Start) -> None:
    workers = start(1)
    kept = one(workers, 0)
    workers.write([Made(kept, made_array(0, *SIZE, 3))]).result()
    for number in range(1, 200):
        workers.write([Made(one(workers, number), made_array(number, *SIZE, 3))]).result()
    assert same(kept, made(made_job(0)))
    background = kept.background
    del kept
    one(workers, 201)
    assert background is not None
    assert np.array_equal(background, made_array(2, *SIZE, 3))
    memory = workers._crew.workers[0]._memory
    assert len(memory._mapped) == 1, "200 images one after the other take the first slots"


def test_what_was_never_written_gives_its_room_back(start: Start) -> None:
    workers = start(1)
    for number in range(200):
        one(workers, number)
    assert len(workers._crew.workers[0]._memory._mapped) == 1


@pytest.mark.parametrize("batch", [1, 16])
def test_two_thousand_jobs_in_order(start: Start, batch: int) -> None:
    """In lanes, as a run does; the generator gives the mask's first pixel's grey."""
    workers = start(2)

    def generate(replies: list) -> list:
        items = [item for reply in replies for item in reply.result()]
        images = np.stack([np.broadcast_to(i.mask[0, 0], (*SIZE, 3)) for i in items])
        return [workers.write([Made(i, image)]) for i, image in zip(items, images, strict=True)]

    pending, window, done = iter(range(2000)), deque(), []
    with ThreadPoolExecutor(2) as lanes:
        while (group := list(islice(pending, batch))) or window:
            if group:
                replies = [workers.prepare(made_job(number)) for number in group]
                window.append(lanes.submit(generate, replies))
            if len(window) >= 8 or not group:
                done += [reply.result() for reply in window.popleft().result()]
    assert [written.result.image for (written,) in done] == [f"{n}_0" for n in range(2000)]
    for number, (written,) in enumerate(done):
        assert written.files["image"][0] == made(made_job(number)).mask[0, 0]
    assert len({written.files["pid"] for (written,) in done}) == 2


def test_a_slow_file_holds_up_no_other_worker(start: Start) -> None:
    workers = start(2)
    for _ in range(2):
        one(workers)
    start_ = time.monotonic()
    slow = workers.prepare(made_job(0, "sleep-1.5.png"))
    quick = [workers.prepare(made_job(number)) for number in range(1, 200)]
    # All but those that were handed to the slow one already.
    for reply in quick[-150:]:
        reply.result()
    assert time.monotonic() - start_ < 1.4
    slow.result()


def test_errors_come_out_as_they_were_raised(start: Start) -> None:
    workers = start(1)
    with pytest.raises(PoseGenError, match=r"^/masks/fails\.png: fails$"):
        one(workers, 0, "fails.png")
    with pytest.raises(MaskRejected, match=r"^empty$") as rejected:
        one(workers, 0, "rejected.png")
    assert isinstance(rejected.value.__cause__, ValueError)
    with pytest.raises(PoseGenError, match=r"^/out: cannot be written$") as full:
        workers.write([Made(one(workers, 0, "full.png"), made_array(0, *SIZE, 3))]).result()
    cause = full.value.__cause__
    assert isinstance(cause, OSError)
    assert (cause.errno, cause.filename) == (28, "/out")
    assert same(one(workers, 3), made(made_job(3)))


def test_an_error_that_nobody_foresaw_tells_where_it_was_raised(start: Start) -> None:
    workers = start(1)
    with pytest.raises(TypeError, match="ndarray cannot go from a worker") as raised:
        one(workers, 0, "odd.png")
    assert isinstance(raised.value.__cause__, WorkerTraceback)
    assert "worker.py" in str(raised.value.__cause__)
    with pytest.raises(RuntimeError, match="that only the worker knows") as strange:
        one(workers, 0, "strange.png")
    assert "fake_work.py" in str(strange.value.__cause__)


def test_wrong_arrays_are_refused(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = start(1)
    prepared = one(workers)
    with pytest.raises(ValueError, match="not uint8"):
        workers.write([Made(prepared, np.zeros((*SIZE, 3), np.float32))])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not uint8"):
        workers.write([Made(prepared, np.zeros((1, 1, 3), np.uint8))])
    with pytest.raises(ValueError, match="not prepared by these"):
        workers.write([Made(made(made_job(0)), made_array(0, *SIZE, 3))])
    small = ProcessWorkers(Reader, Writer(), 1, (8, 8))
    try:
        with pytest.raises(ValueError, match=r"mask is uint8 \(24, 40\), not uint8 \(8, 8\)"):
            one(small)
    finally:
        small.close()


def test_a_reader_that_cannot_be_made_says_why(start: Start) -> None:
    workers = start(2, fake_work.broken)
    replies = [workers.prepare(made_job(number)) for number in range(100)]
    for reply in replies:
        with pytest.raises(PoseGenError, match=r"^poses\.jsonl: is gone; bring it back$"):
            reply.result()
    with pytest.raises(PoseGenError, match=r"poses\.jsonl"):
        one(workers)


def test_what_does_not_pickle_is_told_at_once() -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises((AttributeError, TypeError, Exception), match="pickle"):
        ProcessWorkers(lambda: Reader(), Writer(), 2, SIZE)
    assert set(os.listdir("/proc/self/fd")) == before


def test_close_ends_what_waits(start: Start) -> None:
    workers = start(1)
    one(workers)
    replies = [workers.prepare(made_job(0, "sleep-30.png")) for _ in range(40)]
    begin = time.monotonic()
    workers.close()
    workers.close()
    assert time.monotonic() - begin < 1
    for reply in replies:
        with pytest.raises(CancelledError):
            reply.result()
    with pytest.raises(CancelledError):
        workers.prepare(made_job(0)).result()


def test_close_lets_what_is_being_written_finish(start: Start, tmp_path: Path) -> None:
    workers = start(1)
    out = tmp_path / "written"
    name = f"slow-{str(out).replace('/', '+')}@1.png"
    prepared, other = one(workers, 0, name), one(workers, 1)
    image = made_array(0, *SIZE, 3)
    writing, queued = workers.write([Made(prepared, image)]), None
    while not out.with_name("written.begun").exists():
        time.sleep(0.01)
    queued = workers.write([Made(other, image)])
    workers.close()
    assert out.read_bytes() == image.tobytes()
    assert writing.result()[0].files["image"] == image.tobytes()
    with pytest.raises(CancelledError):
        queued.result()
    with pytest.raises(CancelledError):
        workers.write([Made(other, image)]).result()


def test_close_before_they_stand(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    workers = ProcessWorkers(fake_work.NotBefore(tmp_path / "never"), Writer(), 2, SIZE)
    reply = workers.prepare(made_job(0))
    begin = time.monotonic()
    workers.close()
    assert time.monotonic() - begin < 1
    with pytest.raises(CancelledError):
        reply.result()
    assert all(worker._process.returncode is not None for worker in workers._crew.workers)
    assert set(os.listdir("/proc/self/fd")) == before
