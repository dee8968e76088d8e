"""The Dockerfiles, as far as they can be read: pinned, without rights, of files and extras that
are there."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from posegen_runtime.engines.cache import VARIABLE

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "examples" / "containers").glob("*.Dockerfile"))
PROJECT = (ROOT / "pyproject.toml").read_text()


def instructions(file: Path) -> list[tuple[str, str]]:
    """(instruction, arguments) with continued lines joined and comments left out."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    parts = [line.partition(" ") for line in joined.splitlines() if line]
    return [(name, arguments) for name, _, arguments in parts]


@pytest.fixture(params=FILES, ids=[file.name for file in FILES])
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_three() -> None:
    assert [file.name.split(".")[0] for file in FILES] == ["cpu", "gpu", "jetson"]


def test_bases_are_pinned_and_the_user_has_no_rights(file: Path) -> None:
    found = instructions(file)
    stages = {arguments.rpartition(" AS ")[2] for name, arguments in found if name == "FROM"}
    for name, arguments in found:
        if name == "FROM" and arguments.split()[0] not in stages:
            image = arguments.split()[0]
            assert re.search(r":[\w.-]*\d+\.\d+[\w.-]*$", image), image
    assert [arguments for name, arguments in found if name == "USER"] == ["10001"]
    after = [name for name, _ in found[[name for name, _ in found].index("USER") :]]
    assert "RUN" not in after
    assert ("ENTRYPOINT", '["posegen-run"]') in found


def test_engines_have_a_volume(file: Path) -> None:
    found = instructions(file)
    assert ("VOLUME", "/cache") in found
    assert any(f"{VARIABLE}=/cache" in arguments for name, arguments in found if name == "ENV")


def test_what_is_copied_is_there_and_travels(file: Path) -> None:
    ignored = file.with_name(f"{file.name}.dockerignore").read_text().splitlines()
    for name, arguments in instructions(file):
        sources = arguments.split()[:-1] if name == "COPY" else []
        sources += re.findall(r"type=bind,source=([\w./-]+)", arguments)
        for source in sources:
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored
    packages = re.findall(
        r'"([\w/]+)"', PROJECT.split("[tool.hatch.build.targets.wheel]")[1].split("]")[0]
    )
    copied = {
        source
        for name, arguments in instructions(file)
        if name == "COPY"
        for source in arguments.split()
    }
    assert {package.split("/")[0] for package in packages} <= copied


def test_what_pip_installs_is_named_rightly(file: Path) -> None:
    text = "\n".join(arguments for name, arguments in instructions(file) if name == "RUN")
    (extras,) = re.findall(r"\.whl\)\[([\w,]+)\]", text)
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = \[", PROJECT, re.MULTILINE)
    for word in re.findall(r' "([^"$]+)"', text):
        assert Requirement(word).name
    assert text.count("pip install") == text.count("pip install --no-cache-dir")
    assert text.count("apt-get install") == text.count("rm -rf /var/lib/apt/lists")
