"""One command for several processes: what becomes of errors, signals and deaths."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import process_work
from posegen.training import processes as processes_module
from posegen.training.interrupt import Interrupt, watch_signals
from posegen.training.processes import run_processes
from posegen_runtime.errors import PoseGenError


def run(work: Callable[..., int], folder: Path, interrupt: Interrupt | None = None) -> int:
    code = run_processes(2, work, (folder,), interrupt or Interrupt())
    assert multiprocessing.active_children() == []
    return code


def when(condition: Callable[[], Any], act: Callable[[], Any]) -> None:
    """Act from another thread as soon as the condition holds."""

    def wait() -> None:
        while not condition():
            time.sleep(0.02)
        act()

    threading.Thread(target=wait, daemon=True).start()


def both_run(folder: Path) -> bool:
    return (folder / "0").exists() and (folder / "1").exists()


def test_each_is_told_what_torchrun_would_tell(tmp_path: Path) -> None:
    before = dict(os.environ)
    assert run(process_work.note_rank, tmp_path) == 0
    first, second = ((tmp_path / rank).read_text() for rank in "01")
    assert first == second
    assert first.startswith("2 127.0.0.1:")
    assert dict(os.environ) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_reaches_every_process_once(number: int, code: int, tmp_path: Path) -> None:
    with watch_signals() as interrupt:
        when(lambda: both_run(tmp_path), lambda: os.kill(os.getpid(), number))
        assert run(process_work.wait_for_signal, tmp_path, interrupt) == code
    assert {p.name for p in tmp_path.iterdir()} == {"0", "1", "0.ended", "1.ended"}


def test_a_second_signal_ends_them_at_once(tmp_path: Path) -> None:
    with watch_signals() as interrupt:
        when(lambda: both_run(tmp_path), lambda: os.kill(os.getpid(), signal.SIGINT))
        when(lambda: interrupt.received, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(SystemExit) as leaving:
            run(process_work.ignore_signals, tmp_path, interrupt)
    assert leaving.value.code == 130
    assert multiprocessing.active_children() == []


def test_one_that_is_killed_is_named(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="process 2 of 2 was ended by SIGKILL"):
        run(process_work.lose_one, tmp_path)


def test_an_error_is_raised_once_and_says_more_than_the_loss_of_others(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="no data set") as error:
        run(process_work.refuse, tmp_path)
    assert isinstance(error.value.__cause__, OSError)


def test_the_others_do_not_stay_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes_module, "_GRACE", 0.1)
    assert run(process_work.fail_beside_one_that_hangs, tmp_path) == 1
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_they_stop_when_the_command_is_killed(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        try:
            run_processes(2, process_work.wait_for_signal, (tmp_path,), Interrupt())
        finally:
            os._exit(1)
    while not both_run(tmp_path):
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    ended = [tmp_path / f"{rank}.ended" for rank in "01"]
    deadline = time.monotonic() + 20
    while not all(file.exists() for file in ended):
        assert time.monotonic() < deadline
        time.sleep(0.02)
