"""One process for each device of this machine, and one command that answers for them all.

They are what torchrun would start, with less to say: an error is one line, Ctrl-C and SIGTERM reach
every process once, and when one ends the others do not stay behind.
"""

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import SimpleQueue
from typing import Any

from posegen.training.interrupt import Interrupt, watch_signals
from posegen.training.launch import Launch, torchrun_variables
from posegen_runtime.errors import PoseGenError

Work = Callable[..., int]
_Raised = tuple[PoseGenError | OSError, OSError | None]
_GRACE = 10.0
"""Seconds in which processes may end by themselves after one of them has failed."""
_POLL = 0.2


class LostContact(PoseGenError):
    """Another process of the run ended or vanished; what it says itself is more to the point."""


def run_processes(count: int, work: Work, arguments: tuple[Any, ...], interrupt: Interrupt) -> int:
    """Call ``work(*arguments, interrupt)`` in `count` processes of this machine, each with what
    torchrun would tell it in its environment. Returns their exit code, or 130 or 143 when a signal
    ended them.

    Raises the `PoseGenError` or `OSError` that one of them raised, and `PoseGenError` when a signal
    ended one of them alone.
    """
    context = multiprocessing.get_context("spawn")
    errors = context.SimpleQueue()
    port = free_port()
    processes: list[SpawnProcess] = []
    # In a terminal Ctrl-C goes to every process; it is for this one alone to tell them.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for rank in range(count):
            variables = torchrun_variables(Launch(count, 1, rank, rank), "127.0.0.1", port)
            process = context.Process(target=_enter, args=(variables, errors, work, arguments))
            process.start()
            processes.append(process)
        signal.signal(signal.SIGINT, handler)
        interrupt.graceful = True
        _watch(processes, interrupt)
        codes = [process.exitcode for process in processes]
    finally:
        signal.signal(signal.SIGINT, handler)
        for process in processes:
            process.kill()
            process.join()
    _raise_worst(codes, errors, interrupt.received is not None)
    if interrupt.received is not None:
        return interrupt.exit_code
    return next((code for code in codes if code), 0)


def _watch(processes: list[SpawnProcess], interrupt: Interrupt) -> None:
    """Until all have ended, or had `_GRACE` to do so after one had failed."""
    told = False
    deadline = float("inf")
    while (alive := [p for p in processes if p.is_alive()]) and time.monotonic() < deadline:
        connection.wait([process.sentinel for process in alive], timeout=_POLL)
        if interrupt.received is not None and not told:
            told = True
            for process in alive:
                process.terminate()
        if deadline == float("inf") and not told and any(p.exitcode for p in processes):
            deadline = time.monotonic() + _GRACE


def _enter(
    variables: dict[str, str],
    errors: "SimpleQueue[_Raised]",
    work: Work,
    arguments: tuple[Any, ...],
) -> None:
    """What a process does; its errors go to the command."""
    os.environ.update(variables)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with watch_signals((signal.SIGTERM,)) as interrupt:
        try:
            code = work(*arguments, interrupt)
        except (PoseGenError, OSError) as error:
            cause = error.__cause__
            errors.put((error, cause if isinstance(cause, OSError) else None))
            code = 1
    raise SystemExit(code)


def _leave_with_parent() -> None:
    """As on SIGTERM, when the command was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _raise_worst(
    codes: list[int | None], errors: "SimpleQueue[_Raised]", interrupted: bool
) -> None:
    """What there is to tell, if anything: the loss of others only where nothing explains it."""
    for rank, code in enumerate(codes):
        if code is not None and code < 0 and not interrupted:
            raise PoseGenError(_ended(rank, len(codes), -code))
    raised = []
    while not errors.empty():
        raised.append(errors.get())
    own = [one for one in raised if not isinstance(one[0], LostContact)]
    for error, cause in own or ([] if interrupted else raised):
        raise error from cause


def _ended(rank: int, count: int, number: int) -> str:
    hint = " (perhaps for lack of memory)" if number == signal.SIGKILL else ""
    return (
        f"process {rank + 1} of {count} was ended by {signal.Signals(number).name}{hint}; "
        "the same command goes on from the last save"
    )


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
