"""Questions to other processes: a wheel that crashes or hangs there does not end this one."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

import msgspec

PATIENCE = 60.0
"""Seconds for all answers together. A driver that hangs, hangs for ever."""

CHILD = (
    "import sys; sys.path[:] = {path!r}; "
    "from posegen_runtime.doctor.probes import answer; answer(*{arguments!r})"
)


class Answer(msgspec.Struct):
    """`found` is what the probe told before it ended. `error` is one line, empty where all went
    well; `missing` says that the package is not there at all."""

    found: dict[str, Any] = {}
    error: str = ""
    missing: bool = False


class Asked:
    """A probe that runs."""

    def __init__(self, probe: str, *arguments: str) -> None:
        self._heard: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed in `kill`
        self._told: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        # The same places in the same order, so that it imports what this process would import.
        code = CHILD.format(path=sys.path, arguments=(probe, *arguments))
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=self._told,
            stderr=self._heard,
            env={**os.environ, "OPENCV_LOG_LEVEL": "OFF"},
        )

    def answer(self, until: float) -> Answer:
        """What it says by `until`, a time of `time.monotonic`."""
        ended = True
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            ended = False
            self.kill_process()
        answer = self._told_so_far()
        if not ended:
            answer.error = f"did not answer within {PATIENCE:.0f} s"
        elif self._process.returncode:
            answer.error = _how_it_ended(self._process.returncode, _text(self._heard))
        return answer

    def _told_so_far(self) -> Answer:
        """Each line says more; what a probe told before it crashed still counts."""
        answer = Answer()
        for line in _text(self._told).splitlines():
            with suppress(msgspec.MsgspecError):
                more = msgspec.json.decode(line, type=Answer)
                answer = Answer(answer.found | more.found, more.error, more.missing)
        return answer

    def kill_process(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):  # one that hangs in the kernel stays
                self._process.wait(1)

    def close(self) -> None:
        self.kill_process()
        self._heard.close()
        self._told.close()


def ask(questions: Mapping[str, Sequence[str]], patience: float = PATIENCE) -> dict[str, Answer]:
    """The answers, asked at the same time. A question is the name of a probe and its arguments."""
    until = time.monotonic() + patience
    asked: dict[str, Asked] = {}
    try:
        for name, question in questions.items():
            asked[name] = Asked(*question)
        return {name: child.answer(until) for name, child in asked.items()}
    finally:
        for child in asked.values():
            child.close()


def _how_it_ended(code: int, heard: str) -> str:
    last = heard.strip().splitlines()[-1:] or [f"exit code {code}"]
    if code > 0:
        return last[0]
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    meaning = " (its code is not for this processor)" if name == "SIGILL" else ""
    return f"the process that tried it was ended by {name}{meaning}"


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
