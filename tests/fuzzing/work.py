"""Read damaged files one after the other, in a process of its own: `fuzzing.work KIND SEED COUNT
DIR`.

Prints a line for each file: its number, "read" or "refused" or "FAULT", and what was said. A
decoder that crashes or hangs takes this process with it, and the parent sees which file it was.
"""

import faulthandler
import random
import resource
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzzing import kinds
from posegen_runtime.errors import PoseGenError

SECONDS = 30
"""For one file."""
ADDRESS_SPACE = 6 * 2**30

Attempt = tuple[Path, Callable[[], None]]


def outcome(path: Path, attempt: Callable[[], None]) -> str:
    """What came of one file: "read", "refused: ..." or "FAULT: ...", always one line."""
    try:
        attempt()
    except PoseGenError as error:
        message = str(error)
        if len(message.splitlines()) != 1:
            return f"FAULT: not one line: {message!r}"
        if not any(word in message for word in (path.name, "has no default; name one")):
            return f"FAULT: does not name {path.name}: {message}"
        return f"refused: {message}"
    except BaseException:
        return "FAULT: " + " | ".join(traceback.format_exc().splitlines())
    return "read"


def main(kind: str, seed: int, count: int, folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    attempts: Iterator[Attempt] = kinds.KINDS[kind](random.Random(f"{kind} {seed}"), folder)
    for number in range(count):
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        path, attempt = next(attempts)
        print(number, path, end=" ", flush=True)
        print(outcome(path, attempt), flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
