"""Ctrl-C while a build runs, in a process of its own."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from posegen_runtime.engines.monitor import run_stoppable

CODE = """
import os, signal, sys, threading, time
from posegen_runtime.engines.monitor import run_stoppable

stop = threading.Event()

def work():
    os.kill(os.getpid(), signal.SIGINT)
    assert stop.wait(60)
    {rest}

try:
    run_stoppable(work, stop)
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    sys.exit(130)
"""


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("time.sleep(0.5)", 130),
        ("raise RuntimeError('a stopped build fails')", 130),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", -signal.SIGINT),
    ],
)
def test_the_first_stops_and_the_second_ends(rest: str, code: int) -> None:
    command = [sys.executable, "-c", CODE.format(rest=rest)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_keeps_its_own_handler() -> None:
    heard = threading.Event()

    def own(number: int, frame: object) -> None:
        heard.set()

    def work() -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return heard.wait(60)

    before = signal.signal(signal.SIGINT, own)
    try:
        assert run_stoppable(work, threading.Event())
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)
