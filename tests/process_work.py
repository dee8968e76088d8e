"""What processes of a test do, where a started Python finds it without importing PyTorch."""

import errno
import os
import signal
import time
from pathlib import Path

from posegen.training.interrupt import Interrupt
from posegen.training.processes import LostContact
from posegen_runtime.errors import PoseGenError


def note_rank(folder: Path, interrupt: Interrupt) -> int:
    rank, world = os.environ["RANK"], os.environ["WORLD_SIZE"]
    (folder / rank).write_text(f"{world} {os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}")
    return 0


def wait_for_signal(folder: Path, interrupt: Interrupt) -> int:
    """Note the rank, then, as a training does, go on until a signal comes, and note that."""
    interrupt.graceful = True
    note_rank(folder, interrupt)
    while interrupt.received is None:
        time.sleep(0.02)
    (folder / f"{os.environ['RANK']}.ended").write_text(str(interrupt.received))
    return interrupt.exit_code


def ignore_signals(folder: Path, interrupt: Interrupt) -> int:
    interrupt.graceful = True
    note_rank(folder, interrupt)
    while True:
        time.sleep(1)


def lose_one(folder: Path, interrupt: Interrupt) -> int:
    if os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    raise LostContact("lost contact")


def refuse(folder: Path, interrupt: Interrupt) -> int:
    if os.environ["RANK"] == "0":
        raise LostContact("lost contact")
    time.sleep(0.2)
    raise PoseGenError("/data: no data set") from OSError(errno.ENOSPC, "full")


def fail_beside_one_that_hangs(folder: Path, interrupt: Interrupt) -> int:
    if os.environ["RANK"] == "0":
        raise ZeroDivisionError
    return ignore_signals(folder, interrupt)
