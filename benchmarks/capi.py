"""Calls a second through the C interface at batch 1, against the Python API.

    python benchmarks/capi.py [--bundle FOLDER] [--json FILE]

Both on ONNX Runtime's CPU provider (the wheel's library), one thread, appearance and background set
once, the same mask. The C program is a process of its own and times itself; it and Python take
turns, `--calls` calls at a time, so that whatever else the machine does hits them alike. Time is
the processor's, which on one thread is that of the clock where the core is free. The ratio is
Python's time by C's, median over the rounds: above 1, C is faster. `generate` is what a Python
program calls; `generate_keyed` is for those that know which conditions are the same, as in C.

Needs CMake, a C compiler and ONNX Runtime's headers: docs/capi.md.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from posegen_runtime import PoseGenerator
from posegen_runtime.generator import SHIPPED_BUNDLE

REPOSITORY = Path(__file__).resolve().parent.parent
ENDS = {"C": "C interface", "generate": "Python, generate", "keyed": "Python, generate_keyed"}

Caller = Callable[[int], float]
"""Makes that many calls; returns the seconds of processor time that they took."""


def build_program(folder: Path) -> Path:
    """The library and `capi_calls`, built in `folder`."""
    library = folder / "library"
    for command in (
        ["cmake", "-S", str(REPOSITORY / "runtime/capi"), "-B", str(library)],
        ["cmake", "--build", str(library)],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    program = folder / "capi_calls"
    source = str(REPOSITORY / "benchmarks/capi_calls.c")
    options = ["-O2", "-std=gnu11", f"-I{REPOSITORY / 'runtime/capi'}", f"-L{library}"]
    linking = ["-lposegen", f"-Wl,-rpath,{library}"]
    subprocess.run(["cc", *options, source, "-o", str(program), *linking], check=True)
    return program


@contextmanager
def c_caller(program: Path, bundle: Path, inputs: list[np.ndarray[Any, Any]]) -> Iterator[Caller]:
    """The program, with `inputs` as raw files beside it."""
    import onnxruntime

    (library,) = (Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*")
    files = [program.parent / f"{number}.raw" for number in range(len(inputs))]
    for file, array in zip(files, inputs, strict=True):
        array.tofile(file)
    with subprocess.Popen(
        [str(program), str(bundle), *map(str, files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "POSEGEN_ONNXRUNTIME": str(library)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        wanted, timed = process.stdin, process.stdout

        def call(calls: int) -> float:
            print(calls, file=wanted, flush=True)
            return float(timed.readline())

        yield call
        wanted.close()


def python_caller(function: Callable[[], Any]) -> Caller:
    def call(calls: int) -> float:
        start = time.process_time()
        for _ in range(calls):
            function()
        return time.process_time() - start

    return call


def measure(callers: dict[str, Caller], rounds: int, calls: int) -> dict[str, Any]:
    """Calls a second of each, and the ratios to "C": medians over the rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in callers}
    for call in callers.values():
        call(calls)
    for _ in range(rounds):
        for name, call in callers.items():
            seconds[name].append(call(calls))
    return {
        "calls_per_second": {
            name: calls / statistics.median(times) for name, times in seconds.items()
        },
        "ratio": {
            name: statistics.median(
                python / c for python, c in zip(times, seconds["C"], strict=True)
            )
            for name, times in seconds.items()
            if name != "C"
        },
    }


def compare(bundle: Path, rounds: int, calls: int, folder: Path) -> dict[str, Any]:
    generator = PoseGenerator.load(bundle, threads=1, backend="cpu")
    golden = generator.bundle.manifest.golden[0]
    mask = cv2.imread(str(bundle / golden.mask), cv2.IMREAD_GRAYSCALE)
    conditions = {name: generator.default(name) for name in generator.bundle.conditions}
    keyed = [(b"same", conditions)] if conditions else []
    inputs = [mask, *conditions.values()]
    if len(inputs) == 2:  # the program takes both or none
        inputs.append(inputs[1])
    with c_caller(build_program(folder), bundle, inputs) as by_c:
        callers = {
            "C": by_c,
            "generate": python_caller(lambda: generator.generate(mask, **conditions)),
            "keyed": python_caller(lambda: generator.generate_keyed(mask[None], keyed)),
        }
        return measure(callers, rounds, calls)


def main(
    bundle: Annotated[
        Path, typer.Option(help="Exported model with golden images.")
    ] = SHIPPED_BUNDLE,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; their median counts.")] = 41,
    calls: Annotated[int, typer.Option(min=1, help="Calls of each in a round.")] = 10,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
) -> None:
    """Time the C interface against the Python API."""
    with tempfile.TemporaryDirectory() as folder:
        figures = compare(bundle, rounds, calls, Path(folder))
    for name, rate in figures["calls_per_second"].items():
        line = f"{ENDS[name]:24}{rate:8.1f} calls/s"
        if name in figures["ratio"]:
            line += f"   C is {figures['ratio'][name]:.3f} times as fast"
        print(line)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
