"""Runs of a few small images without a generator, through the real ledger and a real sink.

Everything about an image follows from its mask's name and its variation, but not from its number,
so that a shard of a run makes the same images as the run.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from posegen_runtime.choices import Fit
from posegen_runtime.geometry import Placement
from posegen_runtime.jobs import Job
from posegen_runtime.ledger import Identity, Ledger, PlannedJob
from posegen_runtime.poses import Pose
from posegen_runtime.rows import Failure, Finished, Made, Prepared, failed
from posegen_runtime.sinks.base import Sink
from posegen_runtime.sources import Source
from tiny_bundle import example_mask, example_photo

SIZE = 32
FINISHED = 1.7e9


def jobs_of(stems: Iterable[str]) -> list[Job]:
    """One job for each mask, whose appearance and background have the mask's name."""
    return [
        Job(
            mask=Source(Path("/masks", f"{stem}.png"), f"{stem}.png"),
            stem=stem,
            variation=0,
            variation_suffix="",
            appearance=Source(Path("/photos/a.jpg"), "a.jpg"),
            background=None,
            number=number,
        )
        for number, stem in enumerate(stems)
    ]


def job_of(planned: PlannedJob) -> Job:
    """What the ledger knows of a job, as a job to prepare."""
    return Job(
        mask=Source(Path("/masks", planned.mask), planned.mask),
        stem=planned.stem,
        variation=planned.variation,
        variation_suffix=planned.suffix,
        appearance=Source(Path("/photos/a.jpg"), "a.jpg"),
        background=None,
        number=planned.job,
    )


def prepared_of(job: Job, obj: str = "", pose: Pose | None = None) -> Prepared:
    """The job with its inputs: a silhouette of `SIZE` squared and no photos."""
    window = (0, 0, SIZE, SIZE)
    place = Placement(
        fit=Fit.FRAME, source_size=(SIZE, SIZE), target_size=(SIZE, SIZE), window=window
    )
    return Prepared(
        job=job,
        object=obj,
        stem=f"{job.stem}{'_' * bool(obj)}{obj}{job.variation_suffix}",
        mask=example_mask(_seed(job, obj), SIZE),
        placement=place,
        appearance=None,
        background=None,
        pose=pose,
        notes=["unclear"],
        unclear_share=0.02,
        viewpoint=(0.0, 0.6, 0.8),
        seconds=0.25,
    )


def image_of(job: Job, obj: str = "") -> np.ndarray:
    """uint8 RGB [SIZE, SIZE, 3]."""
    return example_photo(_seed(job, obj), SIZE)


def run(
    out: Path,
    sink: Sink,
    jobs: list[Job],
    *,
    fails: Callable[[Job], bool] = lambda job: False,
    objects: Callable[[Job], tuple[str, ...]] = lambda job: ("",),
    retry_failed: bool = False,
    stop_after: int | None = None,
    identity: Identity | None = None,
) -> list[int]:
    """Plan and do `jobs`, or go on; returns the numbers of the jobs that were done now."""
    given: list[int] = []
    with Ledger.open(out, write=True) as ledger:
        if identity:
            ledger.set_identity(identity)
        ledger.plan(jobs, len(jobs))
        for planned in sink.jobs_to_do(ledger, retry_failed):
            if len(given) == stop_after:
                ledger.finish(sink.close(whole=False))
                return given
            job = job_of(planned)
            if results := sink.add(finished_of(sink, job, fails(job), objects(job))):
                ledger.finish(results)
            given.append(job.number)
        ledger.finish(sink.close(whole=True))
    return given


def finished_of(
    sink: Sink, job: Job, fails: bool = False, objects: tuple[str, ...] = ("",)
) -> Finished:
    """What becomes of `job`."""
    if fails:
        return Finished(job=job, images=[failed(Failure(reason="is empty"), FINISHED)])
    written = sink.writer([Made(prepared_of(job, obj), image_of(job, obj)) for obj in objects])
    files = {name: data for one in written for name, data in one.files.items()}
    return Finished(job=job, images=[one.result for one in written], files=files)


def _seed(job: Job, obj: str) -> int:
    return sum(f"{job.mask.name}{obj}".encode()) % 997
