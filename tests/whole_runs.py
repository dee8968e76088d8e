"""Whole runs of `posegen-run` for tests: their outputs, and processes that can be disturbed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from posegen_runtime.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.ledger import LEDGER_FILES, LOCK, Counts, Ledger
from tiny_bundle import example_mask

RECORDS = {"run.json", "report.html", "preview.png", LOCK, *LEDGER_FILES}
"""What tells times and paths, or shows the newest images only."""

SLOWLY = """
import time
from posegen_runtime.cli import main
from posegen_runtime.sinks.files import FileWriter
write = FileWriter.__call__
def slowly(self, *arguments):
    time.sleep({seconds})
    return write(self, *arguments)
FileWriter.__call__ = slowly
main()
"""


def posegen_run(*arguments: object) -> int:
    """The exit code."""
    return run_app(app, [str(argument) for argument in arguments])


def start(*arguments: object, seconds: float = 0.0) -> subprocess.Popen[str]:
    """The command as a process that writes each image `seconds` later than it could."""
    command = [sys.executable, "-c", SLOWLY.format(seconds=seconds)]
    return subprocess.Popen(
        [*command, *(str(argument) for argument in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Until `condition`; the process must not end before."""
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def images_there(out: Path) -> int:
    folder = out / "images"
    return sum(path.suffix in (".png", ".jpg") for path in folder.rglob("[!.]*"))


def outputs(out: Path) -> dict[str, bytes]:
    """Every file but `RECORDS`: what two runs of the same command must have in common."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in RECORDS
    }


def write_masks(folder: Path, count: int, kinds: int = 20) -> Path:
    """`count` masks in `folder`, of `kinds` shapes."""
    folder.mkdir(parents=True)
    for index in range(count):
        file = folder / f"{index:04}.png"
        if index < kinds:
            cv2.imwrite(str(file), example_mask(index))
        else:
            os.link(folder / f"{index % kinds:04}.png", file)
    return folder


def counts(out: Path) -> Counts:
    with Ledger.open(out, write=False) as ledger:
        return ledger.counts()


def record(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "run.json").read_bytes())
    return found


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_bytes().splitlines()]
