"""Work that ends by SIGKILL at a moment that is chosen and not left to chance."""

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any


def was_killed(work: Callable[[], object], moment: int, calls: Sequence[tuple[Any, str]]) -> bool:
    """Work in a process that kills itself before or after one of `calls`, functions as their
    owner and name: the `moment`-th such moment, from 0. False where there are fewer."""
    child = os.fork()
    if child == 0:
        left = moment

        def dying(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **options: Any) -> Any:
                nonlocal left
                made = None
                for before in (True, False):
                    if left == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    left -= 1
                    if before:
                        made = function(*args, **options)
                return made

            return call

        code = 1
        try:
            for owner, name in calls:
                setattr(owner, name, dying(getattr(owner, name)))
            work()
            code = 0
        finally:
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended > 0:
        raise RuntimeError("the work failed")
    return ended == -signal.SIGKILL
