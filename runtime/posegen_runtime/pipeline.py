"""Read, infer and write at the same time, with a bounded number of jobs in flight."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.base import one_line
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.jobs import Job
from posegen_runtime.ledger.entries import ImageResult
from posegen_runtime.rows import Failure, Finished, Images, Made, Prepared, Written, failed
from posegen_runtime.shape import Shape, Shapes
from posegen_runtime.verdicts import Verdict
from posegen_runtime.workers.base import Result, Workers

AHEAD = 3
"""Groups of jobs begun for each lane: one in it, and enough behind it that it never waits."""
GROUP = 4
"""Jobs that a lane reads, then generates, then writes, even where a call takes fewer: a core that
stays at one kind of work keeps its caches."""


Generate = Callable[[list[Prepared]], Images]
Verify = Callable[[list[Prepared], Images], list[Verdict]]
"""What judges say of each image."""


class _Begun(NamedTuple):
    """A job whose images are being written."""

    job: Job
    images: list[Failure | Made]
    writing: Result[list[Written]] | None
    """None where no image was made."""
    timings: dict[str, float]
    """Seconds that generating and verifying one image took, by stage."""


def whole_group(batch: int) -> int:
    """Jobs in a group: as many calls of `batch` as it takes."""
    return batch * -(-GROUP // batch)


def generate_with(generator: PoseGenerator) -> Generate:
    """`generator` on prepared jobs."""

    def generate(prepared: list[Prepared]) -> Images:
        conditions = [
            (p.conditions_key, _given(appearance=p.appearance, background=p.background))
            for p in prepared
            if p.conditions_key
        ]
        masks = np.stack([p.mask for p in prepared])
        return generator.generate_keyed(masks, conditions, _viewpoints(prepared))

    return generate


def run_jobs(
    jobs: Iterable[Job],
    workers: Workers,
    generate: Generate,
    shapes: Shapes,
    stop: threading.Event,
    verify: Verify | None = None,
) -> Generator[Finished, None, None]:
    """Every job's outcome, in the order of `jobs`, whatever finishes first.

    Once `stop` is set nothing new is begun, and what is in flight is still yielded. An error in
    `generate`, `verify` or the writer ends the run: it would hit every later job too. Closing the
    iterator waits for what is being worked on.
    """
    coming = iter(jobs)
    for shape, until in shapes.phases():
        images, start = 0, time.perf_counter()
        over = True
        with _Lanes(workers, generate, verify, shape) as lanes:
            window: deque[Future[list[_Begun]]] = deque()
            while not stop.is_set():
                if until is not None and time.perf_counter() - start >= until:
                    over = False
                    break
                group = list(islice(coming, lanes.group))
                if not group:
                    break
                window.append(lanes.submit(group))
                if len(window) >= AHEAD * shape.lanes:
                    for finished in _results(window.popleft()):
                        images += len(finished.images)
                        yield finished
            if stop.is_set():
                for future in window:
                    future.cancel()
            while window:
                for finished in _results(window.popleft()):
                    images += len(finished.images)
                    yield finished
        if over:
            return
        shapes.measured(shape, images, time.perf_counter() - start)


class _Lanes:
    """Threads that each take a group of jobs through the generator; leaving waits for them."""

    def __init__(
        self, workers: Workers, generate: Generate, verify: Verify | None, shape: Shape
    ) -> None:
        self._workers = workers
        self._generate = generate
        self._verify = verify
        self._shape = shape
        self._begun = 0
        self._pool = ThreadPoolExecutor(shape.lanes, "infer")

    @property
    def group(self) -> int:
        """Jobs to submit next: whole calls. The first of each lane is one call, so that the first
        images are soon there."""
        batch = self._shape.batch
        return batch if self._begun < self._shape.lanes else whole_group(batch)

    def submit(self, group: list[Job]) -> "Future[list[_Begun]]":
        self._begun += 1
        inputs = [(job, self._workers.prepare(job)) for job in group]
        return self._pool.submit(self._infer, inputs)

    def _infer(self, inputs: list[tuple[Job, Result[list[Prepared | Failure]]]]) -> list[_Begun]:
        read = [(job, result.result()) for job, result in inputs]
        ready = [item for _, items in read for item in items if isinstance(item, Prepared)]
        timings: dict[str, float] = {}
        made = iter(self._made(ready, timings) if ready else [])

        def begin(job: Job, items: list[Prepared | Failure]) -> _Begun:
            parts = [item if isinstance(item, Failure) else next(made) for item in items]
            ours = [part for part in parts if isinstance(part, Made)]
            return _Begun(job, parts, self._workers.write(ours) if ours else None, timings)

        return [begin(job, items) for job, items in read]

    def _made(self, ready: list[Prepared], timings: dict[str, float]) -> list[Made]:
        start = time.perf_counter()
        images = self._generated(ready)
        timings["infer"] = (time.perf_counter() - start) / len(ready)
        if self._verify is None:
            return [Made(one, image) for one, image in zip(ready, images, strict=True)]
        start = time.perf_counter()
        verdicts = self._verify(ready, images)
        timings["verify"] = (time.perf_counter() - start) / len(ready)
        return [Made(*one) for one in zip(ready, images, verdicts, strict=True)]

    def _generated(self, ready: list[Prepared]) -> Images:
        size = self._shape.batch
        calls = [ready[start : start + size] for start in range(0, len(ready), size)]
        try:
            made = [self._generate(call) for call in calls]
            return made[0] if len(made) == 1 else np.concatenate(made)
        except (PoseGenError, MemoryError):
            raise
        except Exception as error:  # backends raise their own types
            raise PoseGenError(
                f"the model stopped: {type(error).__name__}: {one_line(error)}; what is done "
                "stays, the same command goes on"
            ) from error

    def __enter__(self) -> "_Lanes":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def _results(group: "Future[list[_Begun]]") -> Iterator[Finished]:
    try:
        jobs = group.result()
    except CancelledError:
        return
    for job, parts, writing, made in jobs:
        images: list[ImageResult] = []
        files: dict[str, bytes] = {}
        coming = iter(writing.result() if writing else [])
        for part in parts:
            if isinstance(part, Failure):
                images.append(failed(part, time.time()))
                continue
            written = next(coming)
            times = {"read": part.prepared.seconds, **made, **written.result.timings}
            timings = {stage: round(seconds, 6) for stage, seconds in times.items()}
            images.append(msgspec.structs.replace(written.result, timings=timings))
            files |= written.files
        yield Finished(
            job=job,
            images=_together(images),
            files=files,
            made=[part for part in parts if isinstance(part, Made)],
            of_mask=all(isinstance(part, Failure) and part.of_mask for part in parts),
        )


def _together(images: list[ImageResult]) -> list[ImageResult]:
    """Those that one file shows follow each other, as the ledger's readers expect."""
    first: dict[str, int] = {}
    places = [first.setdefault(one.image or f"\0{n}", n) for n, one in enumerate(images)]
    return [images[n] for n in sorted(range(len(images)), key=places.__getitem__)]


def _given(**images: Images | None) -> dict[str, Images]:
    return {name: image for name, image in images.items() if image is not None}


def _viewpoints(prepared: list[Prepared]) -> npt.NDArray[np.float32] | None:
    """float32 [N, 3]; None where none is known, or for a model that takes none."""
    given = [p.viewpoint for p in prepared if p.viewpoint is not None]
    return np.array(given, np.float32) if any(map(any, given)) else None
