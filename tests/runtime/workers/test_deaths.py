"""Whoever dies, nobody hangs, nobody is left over, and the file that was being read is named."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fake_work import SIZE, Fragile, Reader, Writer, made_array, made_job
from posegen_runtime.errors import PoseGenError
from posegen_runtime.rows import Failure, Made, Prepared
from posegen_runtime.workers.processes import ProcessWorkers
from whole_runs import posegen_run, rows, write_masks

TESTS = Path(__file__).parents[2]


@pytest.fixture
def workers() -> Iterator[ProcessWorkers]:
    two = ProcessWorkers(Reader, Writer(), 2, SIZE)
    yield two
    two.close()


def wait_for(condition: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ready(workers: ProcessWorkers, count: int) -> list[Prepared]:
    replies = [workers.prepare(made_job(number)) for number in range(count)]
    items = [item for reply in replies for item in reply.result()]
    assert all(isinstance(item, Prepared) for item in items)
    return items  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (signal.SIGKILL, "was killed by SIGKILL; free memory or take fewer workers"),
        (signal.SIGSEGV, "was killed by SIGSEGV; the file may break its decoder: leave it out"),
    ],
)
def test_a_job_whose_reading_kills_fails_and_the_others_are_made(
    workers: ProcessWorkers, number: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"kill-{int(number)}.png"
    image = made_array(0, *SIZE, 3)
    early = ready(workers, 40)
    replies = [workers.prepare(made_job(n, name if n in (25, 60) else "")) for n in range(200)]
    writing = [workers.write([Made(item, image)]) for item in early]
    for n, reply in enumerate(replies):
        [item] = reply.result()
        if n in (25, 60):
            assert isinstance(item, Failure)
            others = "/looks/a.png or /places/b.png" if n % 2 else "/places/b.png"
            assert item.reason == f"the process reading it (or {others}) {expected}"
        else:
            assert isinstance(item, Prepared)
            [written] = workers.write([Made(item, image)]).result()
            assert written.result.image == f"{n}_0"
    assert [w.result()[0].result.image for w in writing] == [item.stem for item in early]
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4, "each of the two is tried twice"
    assert all(
        line.startswith(f"note: /masks/{name}: the process reading it (or ") for line in told
    )
    assert all(line.endswith(f"{expected}; another process takes its place") for line in told)
    assert not any(worker.gone for worker in workers._crew.workers)


@pytest.mark.parametrize("sink", ["files", "webdataset"])
def test_a_run_ends_with_a_reason_for_the_file_that_killed(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: str
) -> None:
    masks = write_masks(tmp_path / "masks", 30)
    os.link(masks / "0000.png", masks / "deadly.png")
    monkeypatch.setattr("posegen_runtime.making.Preparer", Fragile)
    common = ("--masks", masks, "--out", tmp_path / "out", "--bundle", tiny_bundle)
    assert posegen_run(*common, "--workers", 2, "--sink", sink) == 1
    assert [row["state"] for row in rows(tmp_path / "out")] == ["done"] * 30 + ["failed"]
    reason = rows(tmp_path / "out")[-1]["reason"]
    assert reason.startswith("the process reading it")
    assert reason.endswith("was killed by SIGSEGV; the file may break its decoder: leave it out")
    monkeypatch.undo()
    assert posegen_run(*common, "--workers", 2, "--sink", sink, "--retry-failed") == 0


def test_a_file_that_kills_once_is_read_again(workers: ProcessWorkers, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark").replace("/", "+")
    [item] = workers.prepare(made_job(1, f"once-{mark}.png")).result()
    assert isinstance(item, Prepared)
    assert len(ready(workers, 50)) == 50


def test_when_every_file_kills_the_run_ends(workers: ProcessWorkers) -> None:
    """Ten files may be bad; a library that is broken breaks on all."""
    name = f"kill-{int(signal.SIGSEGV)}.png"
    replies = [workers.prepare(made_job(n, name)) for n in range(100)]
    with pytest.raises(PoseGenError, match=r"the process reading it \(or .* SIGSEGV"):
        replies[-1].result()
    with pytest.raises(PoseGenError, match="the process reading it"):
        workers.prepare(made_job(0)).result()
    begin = time.monotonic()
    workers.close()
    assert time.monotonic() - begin < 2


def test_a_death_while_writing_names_the_image(workers: ProcessWorkers) -> None:
    [doomed] = workers.prepare(made_job(0, "die-now.png")).result()
    assert isinstance(doomed, Prepared)
    with pytest.raises(PoseGenError, match=r"^die-now_0: the process writing it was killed by SIG"):
        workers.write([Made(doomed, made_array(0, *SIZE, 3))]).result()


def test_what_the_dead_had_to_write_is_still_written(workers: ProcessWorkers) -> None:
    items = ready(workers, 40)
    by_worker = [workers._desk.held[id(item.mask.base)][0] for item in items]
    first = workers._crew.workers[0]
    assert 0 < by_worker.count(first) < 40
    os.kill(first.pid, signal.SIGKILL)
    assert wait_for(lambda: first.gone)
    image = made_array(0, *SIZE, 3)
    for item in items:
        [written] = workers.write([Made(item, image)]).result()
        assert (written.result.image, written.files["image"]) == (item.stem, image.tobytes())
    assert len(ready(workers, 50)) == 50
    assert all(alive(worker.pid) for worker in workers._crew.workers)


def test_signals_that_ask_for_an_end_are_the_runs_business(workers: ProcessWorkers) -> None:
    [item] = ready(workers, 1)
    for worker in workers._crew.workers:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            os.kill(worker.pid, getattr(signal, name))
    image = made_array(0, *SIZE, 3)
    assert workers.write([Made(item, image)]).result()[0].files["image"] == image.tobytes()
    assert len(ready(workers, 50)) == 50


def test_a_worker_that_does_not_listen_blocks_nobody(workers: ProcessWorkers) -> None:
    items = ready(workers, 1500)
    image = made_array(0, *SIZE, 3)
    for worker in workers._crew.workers:
        os.kill(worker.pid, signal.SIGSTOP)
    begin = time.monotonic()
    replies = [workers.write([Made(item, image)]) for item in items]
    assert time.monotonic() - begin < 2
    assert any(worker.channel.waiting for worker in workers._crew.workers)
    for worker in workers._crew.workers:
        os.kill(worker.pid, signal.SIGCONT)
    assert [r.result()[0].result.image for r in replies] == [item.stem for item in items]


def test_close_while_a_worker_does_not_listen(workers: ProcessWorkers) -> None:
    ready(workers, 1)
    os.kill(workers._crew.workers[1].pid, signal.SIGSTOP)
    begin = time.monotonic()
    workers.close()
    assert time.monotonic() - begin < 1
    assert not any(alive(worker.pid) for worker in workers._crew.workers)


RUN = """
import signal, sys, threading, time
stopped = threading.Event()
signal.signal(signal.SIGINT, lambda *_: stopped.set())
sys.path.insert(0, sys.argv[1])
from fake_work import SIZE, Fragile, Reader, Writer, made_job
from posegen_runtime.rows import Made
from posegen_runtime.workers.processes import ProcessWorkers
workers = ProcessWorkers(Reader, Writer(), 3, SIZE)
items = [workers.prepare(made_job(n)).result()[0] for n in range(20)]
if "busy" in sys.argv:
    busy = [workers.prepare(made_job(0, "sleep-60.png")) for _ in range(4)]
print(*(worker.pid for worker in workers._crew.workers), flush=True)
"""


def start_run(rest: str, *arguments: str) -> "tuple[subprocess.Popen[str], list[int]]":
    run = subprocess.Popen(
        [sys.executable, "-c", RUN + rest, str(TESTS), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout is not None
    pids = [int(pid) for pid in run.stdout.readline().split()]
    assert len(pids) == 3, run.communicate()
    assert all(map(alive, pids))
    return run, pids


def test_nothing_outlives_a_run_that_is_killed() -> None:
    places = [place for place in ("/dev/shm", tempfile.gettempdir()) if os.path.isdir(place)]
    before = [{name for name in os.listdir(place) if "posegen" in name} for place in places]
    run, pids = start_run("time.sleep(60)", "busy")
    run.kill()
    run.communicate(timeout=5)
    assert wait_for(lambda: not any(map(alive, pids)), 2)
    after = [{name for name in os.listdir(place) if "posegen" in name} for place in places]
    assert after == before


def test_nothing_outlives_a_run_that_forgets_to_close() -> None:
    run, pids = start_run("raise SystemExit(3)", "busy")
    _, errors = run.communicate(timeout=5)
    assert (run.returncode, errors) == (3, "")
    assert wait_for(lambda: not any(map(alive, pids)), 2)


def test_control_c_reaches_the_run_alone() -> None:
    run, pids = start_run(
        """
stopped.wait(60)
reply = workers.write([Made(items[0], items[0].background)])
print(reply.result()[0].result.image)
workers.close()
"""
    )
    os.killpg(run.pid, signal.SIGINT)
    output, errors = run.communicate(timeout=5)
    assert (run.returncode, output, errors) == (0, "0_0\n", "")
    assert not any(map(alive, pids))


def test_a_worker_loads_neither_engine_nor_terminal() -> None:
    code = "import sys, posegen_runtime.workers.worker; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True).stdout.split()
    assert "numpy" in loaded
    assert not {"onnxruntime", "openvino", "typer", "rich", "torch"} & set(loaded)


def test_without_memory_files_one_in_the_temporary_folder_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def forbidden(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "memfd_create", forbidden)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    workers = ProcessWorkers(Reader, Writer(), 1, SIZE)
    assert os.listdir(tmp_path) == []
    [item] = ready(workers, 1)
    image = made_array(0, *SIZE, 3)
    assert workers.write([Made(item, image)]).result()[0].files["image"] == image.tobytes()
    workers.close()
