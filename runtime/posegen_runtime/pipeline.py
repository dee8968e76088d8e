"""Decode, infer and encode at the same time, with a bounded number of jobs in flight."""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import islice

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.choices import BackendName
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.jobs import Job
from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.rows import Prepared, Row

Images = npt.NDArray[np.uint8]


class Finished(msgspec.Struct, frozen=True):
    """A job that is over. `prepared`, `image` and `coco` are None when it failed."""

    row: Row
    prepared: Prepared | None = None
    image: Images | None = None
    coco: CocoMask | None = None


class Shape(msgspec.Struct, frozen=True):
    """How many work at once: `lanes` calls of the generator with `batch` jobs each."""

    lanes: int
    batch: int


Prepare = Callable[[Job], list[Prepared | Row]]
Generate = Callable[[list[Prepared]], Images]
Write = Callable[[Prepared, Images], Finished]


def choose_shape(backend: BackendName, max_batch: int, lanes: int | None) -> Shape:
    """On a CPU one image at a time in one lane for each core, each lane's call on one thread;
    on a GPU two lanes of the largest batch, so that one copies while the other computes."""
    if backend.on_gpu:
        return Shape(lanes or 2, max_batch)
    return Shape(lanes or available_cores(), 1)


def available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def generate_with(generator: PoseGenerator) -> Generate:
    """`generator` on prepared jobs."""

    def generate(prepared: list[Prepared]) -> Images:
        return generator.generate(
            np.stack([p.mask for p in prepared]),
            appearance=_stack([p.appearance for p in prepared]),
            background=_stack([p.background for p in prepared]),
            viewpoint=_viewpoints(prepared),
        )

    return generate


def run_jobs(
    jobs: Iterable[Job],
    prepare: Prepare,
    generate: Generate,
    write: Write,
    shape: Shape,
    stop: threading.Event,
) -> Generator[Finished, None, None]:
    """Every job's outcome, in the order of `jobs`, whatever finishes first.

    Once `stop` is set nothing new is begun, and what is in flight is still yielded. An error in
    `generate` or `write` ends the run: it would hit every later job too. Closing the iterator
    waits for what is being worked on.
    """
    pending = iter(jobs)
    workers = max(2, shape.lanes)
    decoders = ThreadPoolExecutor(workers, "decode")
    lanes = ThreadPoolExecutor(shape.lanes, "infer")
    encoders = ThreadPoolExecutor(workers, "encode")

    def infer(inputs: list[Future[list[Prepared | Row]]]) -> list[Finished | Future[Finished]]:
        items = [item for future in inputs for item in future.result()]
        ready = [item for item in items if isinstance(item, Prepared)]
        images = iter(generate(ready)) if ready else iter(())
        return [
            Finished(item) if isinstance(item, Row) else encoders.submit(write, item, next(images))
            for item in items
        ]

    window: deque[Future[list[Finished | Future[Finished]]]] = deque()
    try:
        while not stop.is_set() and (group := list(islice(pending, shape.batch))):
            inputs = [decoders.submit(prepare, job) for job in group]
            window.append(lanes.submit(infer, inputs))
            if len(window) >= 4 * shape.lanes:
                yield from _results(window.popleft())
        if stop.is_set():
            for future in window:
                future.cancel()
        while window:
            yield from _results(window.popleft())
    finally:
        for pool in (decoders, lanes, encoders):
            pool.shutdown(cancel_futures=True)


def _results(batch: "Future[list[Finished | Future[Finished]]]") -> Iterator[Finished]:
    try:
        items = batch.result()
    except CancelledError:
        return
    for item in items:
        yield item.result() if isinstance(item, Future) else item


def _viewpoints(prepared: list[Prepared]) -> npt.NDArray[np.float32] | None:
    """float32 [N, 3]; None for a model that takes none."""
    given = [p.viewpoint for p in prepared if p.viewpoint is not None]
    return np.array(given, np.float32) if given else None


def _stack(images: list[Images | None]) -> Images | None:
    """[N, H, W, 3], or [1, H, W, 3] where all are the very same array."""
    first = images[0]
    if first is None:
        return None
    if all(image is first for image in images):
        return first[None]
    return np.stack([image for image in images if image is not None])
