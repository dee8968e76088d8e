"""The library itself: what it needs, shows and is called; many threads; wrong calls."""

import re
from pathlib import Path

from c_programs import LIBRARY, REPOSITORY, Built, run_or_raise
from tiny_bundle import write_tiny_bundle


def shared_library(native: Built) -> Path:
    return next(native.installed.rglob("libposegen.so"))


def test_it_needs_the_c_library_and_nothing_of_python(native: Built) -> None:
    for file in (shared_library(native), native.programs / "driver"):
        needed = re.findall(r"^\s*(\S+)", run_or_raise(["ldd", str(file)]), re.MULTILINE)
        assert needed
        for name in needed:
            assert re.match(
                r"(/\S*/)?(lib(c|m|dl|pthread|posegen)\.so|linux-vdso|ld-linux)", name
            ), name


def test_it_shows_what_the_header_declares(native: Built) -> None:
    listed = run_or_raise(["nm", "-D", "--defined-only", str(shared_library(native))])
    shown = {line.split()[-1] for line in listed.splitlines()}
    header = (LIBRARY / "posegen.h").read_text()
    declared = set(re.findall(r"^POSEGEN_API .*?\b(posegen_\w+)\(", header, re.MULTILINE))
    assert shown == declared
    assert len(declared) == 10


def test_its_version_is_that_of_the_package(native: Built) -> None:
    project = (REPOSITORY / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.*)"', project, re.MULTILINE)
    assert version is not None
    header = (LIBRARY / "posegen.h").read_text()
    assert f'#define POSEGEN_VERSION "{version[1]}"' in header
    assert shared_library(native).resolve().name == f"libposegen.so.{version[1]}"


def test_sixteen_threads_call_two_hundred_times_each(native: Built, tiny_bundle: Path) -> None:
    assert native.ok("threads", tiny_bundle, 16, 200) == "3200 calls, 0 wrong\n"


def test_threads_under_sanitizers(sanitized: Built, tiny_bundle: Path) -> None:
    assert sanitized.ok("threads", tiny_bundle, 16, 20) == "320 calls, 0 wrong\n"


def test_wrong_calls_give_errors(
    sanitized: Built, tmp_path: Path, tiny_bundle: Path, viewpoint_bundle: Path
) -> None:
    pose = write_tiny_bundle(tmp_path / "pose", "pose")
    said = sanitized.ok("misuse", tiny_bundle, pose, viewpoint_bundle)
    assert said.endswith("\n0 wrong\n"), said
