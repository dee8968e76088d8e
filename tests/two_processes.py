"""Work that runs in several processes which train together, as a launcher would start them."""

import os
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from posegen.training.launch import Launch, torchrun_variables
from posegen.training.processes import free_port
from posegen_runtime.errors import PoseGenError


def in_processes(folder: Path, work: Callable[[int], Any], count: int = 2) -> list[Any]:
    """``work(rank)`` of every process, or the exception that it raised, or None where it died.

    Each is forked, so that PyTorch need not be imported anew, and finds torchrun's variables in its
    environment.
    """
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"rank{rank}.pickle" for rank in range(count)]
    children = []
    for rank, file in enumerate(files):
        child = os.fork()
        if child == 0:
            try:
                launch = Launch(count, 1, rank, rank)
                os.environ.update(torchrun_variables(launch, "127.0.0.1", port))
                file.write_bytes(pickle.dumps(_result(work, rank)))
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return [pickle.loads(file.read_bytes()) if file.exists() else None for file in files]


def _result(work: Callable[[int], Any], rank: int) -> Any:
    try:
        return work(rank)
    except PoseGenError as error:
        return error
    except BaseException as error:
        traceback.print_exc()
        return error
