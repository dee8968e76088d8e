"""The C library, built once in a test session."""

import os
from pathlib import Path

import pytest

from c_programs import SANITIZED, STRICT, Built, build, built, missing_tools
from shared import made_once, shared_folder


def _made(factory: pytest.TempPathFactory, name: str, flags: str) -> Path:
    missing = missing_tools()
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing} is not here; the README names the system's packages")
    if missing:
        pytest.skip(f"{missing} is not here; the README names the system's packages")
    folder = shared_folder(factory, name)
    return made_once(folder, lambda: build(folder, flags))


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """All warnings are errors."""
    return built(_made(tmp_path_factory, "capi", f"{STRICT} -pedantic"))


@pytest.fixture(scope="session")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """With AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer."""
    folder = _made(tmp_path_factory, "capi-sanitized", SANITIZED)
    others = folder / "others.txt"
    others.write_text("leak:libonnxruntime\n")  # what it keeps is not ours
    return built(folder, LSAN_OPTIONS=f"suppressions={others}:print_suppressions=0")
