"""One worker process as the run sees it."""

import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable

import msgspec

from posegen_runtime.errors import PoseGenError
from posegen_runtime.jobs import Job
from posegen_runtime.rows import Images, Prepared
from posegen_runtime.workers.base import Prepare, Writer
from posegen_runtime.workers.channel import Channel
from posegen_runtime.workers.deaths import Death
from posegen_runtime.workers.memory import SharedMemory, anonymous_file
from posegen_runtime.workers.messages import Command, Dropped, Ready, encode
from posegen_runtime.workers.tasks import Reading, Writing

_START = """
import signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
sys.path[:] = sys.argv[4:]
from posegen_runtime.workers.worker import main
main(*map(int, sys.argv[1:4]))
"""
"""A new interpreter, since what the run has loaded does not survive a fork; and not by
`multiprocessing`, which would load the run's main script again. The run decides when to stop."""

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class WorkerProcess:
    """Starts at once. Raises `PoseGenError` when the system starts no process.

    It ends when the other end of the pipe `lifeline` closes, which is the run's end.
    """

    def __init__(
        self,
        size: tuple[int, int],
        make_preparer: Callable[[], Prepare],
        writer: Writer,
        lifeline: int,
    ) -> None:
        self.reads = 0
        """Jobs that were given to it and not read yet."""
        self.gone = False
        self.open: dict[int, Reading | Writing] = {}
        self.dropped: deque[int] = deque()
        """Numbers of prepared ones that nobody holds any more."""
        start = pickle.dumps((size, make_preparer, writer))
        ours, theirs = socket.socketpair()
        file = anonymous_file()
        try:
            self._memory = SharedMemory(file, size)
            ends = theirs.fileno(), lifeline, file
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, *map(str, ends), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD},
                pass_fds=ends,
                start_new_session=True,  # a terminal's signals go to the run alone
            )
        except OSError as error:
            ours.close()
            os.close(file)
            raise PoseGenError(
                f"cannot start a worker process ({error.strerror}); take fewer workers"
            ) from error
        finally:
            theirs.close()
        self._file = file
        self.channel = Channel(ours)
        self.channel.send(start)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def writes_now(self) -> bool:
        return isinstance(self.open.get(self._memory.task), Writing)

    def send(self, *commands: Command) -> bool:
        """False: something is left for `channel.flush`."""
        messages = [encode(command) for command in commands]
        if self.dropped:
            numbers = [self.dropped.popleft() for _ in range(len(self.dropped))]
            messages.append(encode(Dropped(numbers)))
        return self.channel.send(*messages)

    def prepared(self, ready: Ready, job: Job) -> tuple[Prepared, Images]:
        """What the worker prepared of `job`, and the room that its arrays lie in."""
        room, _, mask, appearance, background = self._memory.slot(ready.slot)
        for array in (mask, appearance, background):
            array.flags.writeable = False
        prepared = Prepared(
            job=job,
            mask=mask,
            appearance=appearance if ready.appearance else None,
            background=background if ready.background else None,
            **msgspec.structs.asdict(ready.facts),
        )
        return prepared, room

    def image(self, room: Images) -> Images:
        """Where the image goes that is to be written."""
        return self._memory.image(room)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Wait for its end, which was asked for, and give back what it had here."""
        self._wait()
        self.channel.close()
        self._memory.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _wait(self) -> int:
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def death(self) -> Death:
        """What it was at when it ended, which nobody asked for, and how."""
        return Death(self._wait(), self.open.get(self._memory.task))
