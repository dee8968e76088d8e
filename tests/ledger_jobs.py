"""Jobs for the tests of the ledger, and their results, which follow from the job alone."""

import os
from collections.abc import Iterator
from pathlib import Path

from posegen_runtime.jobs import Job
from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.ledger import (
    ImageData,
    ImageResult,
    ImageRow,
    JobResult,
    Ledger,
    PlannedJob,
    State,
)
from posegen_runtime.paths import write_atomic
from posegen_runtime.sources import Source

FINISHED = 1.7e9


def made_jobs(count: int) -> Iterator[Job]:
    """Jobs with an appearance and without a background."""
    for number in range(count):
        mask = Source(Path(f"/masks/{number:05}.png"), f"{number:05}.png")
        yield Job(mask, f"{number:05}", 0, "-v0", Source(Path("/photos/a.jpg"), "a.jpg"), None)


def named_jobs(names: list[str]) -> list[Job]:
    """One job for each mask of these names."""
    return [Job(Source(Path("/masks") / name, name), name, 0, "", None, None) for name in names]


def result(job: int, *objects: str, state: State = State.DONE, reason: str = "") -> JobResult:
    """The result of job number `job`, with an image for each of `objects`."""
    images = [
        ImageResult(
            object=name,
            state=state,
            reason=reason,
            image=f"images/{job:05}{name}.png" if state is State.DONE else "",
            mask_file=f"masks/{job:05}{name}.png" if state is State.DONE else "",
            data=ImageData(
                notes=["unclear"],
                viewpoint=(0.5, 0.5, 0.7),
                coco=CocoMask("abc" * 50, (64, 64), job, (1.0, 2.0, 3.0, 4.0)),
            ),
            timings={"generate": 0.25},
            finished=FINISHED,
        )
        for name in objects or ("",)
    ]
    return JobResult(job, images)


def objects_of(job: int) -> tuple[str, ...]:
    """Every seventh mask file holds three objects."""
    return ("2", "10", "1") if job % 7 == 0 else ("",)


def state_of(job: int) -> State:
    return State.FAILED if job % 11 == 0 else State.DONE


def content(image: str) -> bytes:
    return image.encode() * 20


def do(out: Path, job: PlannedJob) -> JobResult:
    """Write the images of `job` as a run does, and a line in `made.log` for each."""
    state = state_of(job.job)
    done = result(
        job.job,
        *objects_of(job.job),
        state=state,
        reason="" if state is State.DONE else f"/masks/{job.mask}: is empty",
    )
    for image in done.images:
        if image.image:
            write_atomic(out / image.image, content(image.image))
            log = os.open(out / "made.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(log, f"{image.image}\n".encode())
            os.close(log)
    return done


def run(out: Path, count: int, batch: int = 8) -> None:
    """Plan `count` jobs, or go on with them, and finish all."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(made_jobs(count), count)
        results = []
        for job in ledger.pending():
            results.append(do(out, job))
            if len(results) == batch:
                ledger.finish(results)
                results = []
        ledger.finish(results)


def rows_of(out: Path) -> list[ImageRow]:
    with Ledger.open(out, write=False) as ledger:
        return list(ledger.rows())
