"""The C library and programs that use it, built and run."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent
LIBRARY = REPOSITORY / "runtime" / "capi"
STRICT = "-Wall -Wextra -Werror"
SANITIZED = f"{STRICT} -fsanitize=address,undefined -fno-sanitize-recover=all -g -O1"


class Built(NamedTuple):
    """Where the library was installed, a folder of programs, and what they run with."""

    installed: Path
    programs: Path
    environment: dict[str, str]

    def run(self, program: str | Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        """A program by its name or path, to its end."""
        command = [str(self.programs / program), *(str(argument) for argument in arguments)]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def ok(self, program: str | Path, *arguments: object) -> str:
        """What it prints; it must end well and not complain."""
        done = self.run(program, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout


def built(folder: Path, **environment: str) -> Built:
    """What `build` made in `folder`."""
    both = {**os.environ, "POSEGEN_ONNXRUNTIME": str(onnxruntime_library()), **environment}
    return Built(folder / "installed", folder / "programs", both)


def build(folder: Path, flags: str) -> None:
    """The library, installed below `folder`, and the tests' programs."""
    cmake(LIBRARY, folder / "library", f"-DCMAKE_C_FLAGS={flags}")
    install = ["cmake", "--install", str(folder / "library"), "--prefix"]
    run_or_raise([*install, str(folder / "installed")])
    build_against(
        folder / "installed", REPOSITORY / "tests/runtime/capi", folder / "programs", flags
    )


def build_against(installed: Path, source: Path, folder: Path, flags: str) -> None:
    """A project outside of the library's, which finds it where it was installed."""
    language = "CXX" if any(source.glob("*.cpp")) else "C"
    options = [f"-DCMAKE_PREFIX_PATH={installed}", f"-DCMAKE_{language}_FLAGS={flags}"]
    cmake(source, folder, *options)


def cmake(source: Path, folder: Path, *options: str) -> None:
    """Configure and build."""
    run_or_raise(["cmake", "-S", str(source), "-B", str(folder), *options])
    run_or_raise(["cmake", "--build", str(folder)])


def run_or_raise(command: list[str], **more: str) -> str:
    """What `command` prints. Raises with all of it when it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | more
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def onnxruntime_library() -> Path:
    """The library that the wheel brings."""
    import onnxruntime

    (path,) = (Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*")
    return path


def missing_tools() -> str:
    """What this machine lacks to build, "" if nothing."""
    if shutil.which("cmake") is None:
        return "cmake"
    roots = [os.environ.get("ONNXRUNTIME_ROOT", "/usr/local"), "/usr/local", "/usr"]
    folders = [f"{root}/include{below}" for root in roots for below in ("", "/onnxruntime")]
    held = any(os.path.exists(f"{folder}/onnxruntime_c_api.h") for folder in folders)
    return "" if held else "onnxruntime_c_api.h"
