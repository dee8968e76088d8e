"""What is made once in a test session, although its tests run in several processes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def shared_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """The same folder in every process of a session."""
    base = factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / name
    folder.mkdir(exist_ok=True)
    return folder


def made_once(path: Path, make: Callable[[], object]) -> Path:
    """`path`, made by `make` in the first process that needs it, while others wait."""
    done = path.with_name(f"{path.name}.done")
    with FileLock(path.with_name(f"{path.name}.lock")):
        if not done.exists():
            make()
            done.touch()
    return path
