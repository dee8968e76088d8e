"""Planned jobs on their way through this process: read, generated, judged, written."""

import functools
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any, NamedTuple, Protocol

import msgspec

from posegen_runtime.backends.choosing import Choice
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import Fit
from posegen_runtime.frames.files import FrameFiles
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.inputs import Inputs
from posegen_runtime.jobs import Looks
from posegen_runtime.judging import Judging
from posegen_runtime.ledger import JobResult, Ledger, PlannedJob
from posegen_runtime.options import RunOptions
from posegen_runtime.pipeline import Verify, generate_with, run_jobs
from posegen_runtime.prepare import Preparer
from posegen_runtime.resuming import JobFinder
from posegen_runtime.rows import Finished
from posegen_runtime.shape import Shapes, available_cores
from posegen_runtime.sinks.base import Sink
from posegen_runtime.workers.base import Workers, Writer
from posegen_runtime.workers.choosing import open_workers


class Model(msgspec.Struct, frozen=True):
    """What a run's images are made with, here or elsewhere. `engine`: name, version and where."""

    bundle: Bundle
    choice: Choice
    engine: str


class Work(NamedTuple):
    """What is left of a run, for whoever makes it."""

    options: RunOptions
    inputs: Inputs
    judging: Judging | None
    sink: Sink
    frames: FrameFiles | None
    ledger: Ledger

    def todo(self) -> Iterator[PlannedJob]:
        """See `Sink.jobs_to_do`."""
        return self.sink.jobs_to_do(self.ledger, self.options.retry_failed)


class Step(NamedTuple):
    """Jobs that are over, and those whose outputs stand under their final names since: the same
    ones, or later."""

    finished: list[Finished]
    standing: list[JobResult]


class Engine(Protocol):
    """Where images are made."""

    @property
    def model(self) -> Model: ...

    @property
    def cores(self) -> int | None:
        """That a process which makes images may take; None: all of this machine."""

    @property
    def machines(self) -> Mapping[str, Any]:
        """What the record of the run says of machines other than this one."""

    def steps(
        self, work: Work, shapes: Shapes, stop: threading.Event
    ) -> Generator[Step, None, None]:
        """Make what is to do. Once `stop` is set nothing new is begun, and what is in flight is
        still yielded. Raises `PoseGenError` where nothing more can be made."""


class Here:
    """The engine that is this process."""

    def __init__(self, generator: PoseGenerator) -> None:
        self._generator = generator
        self.model = Model(generator.bundle, generator.choice, generator.engine)
        self.cores = None
        self.machines: Mapping[str, Any] = {}

    def steps(
        self, work: Work, shapes: Shapes, stop: threading.Event
    ) -> Generator[Step, None, None]:
        """See `Engine`."""
        maker = Maker(
            work.options, work.inputs, self._generator, work.judging, work.sink.writer, work.frames
        )
        with maker:
            yield from through_sink(maker, work.sink, work.todo(), shapes, stop)


def through_sink(
    maker: "Maker",
    sink: Sink,
    jobs: Iterable[PlannedJob],
    shapes: Shapes,
    stop: threading.Event,
) -> Generator[Step, None, None]:
    """Make `jobs` and put them into `sink`, which is closed in the end, whatever that is."""
    closed = False
    with closing(maker(jobs, shapes, stop)) as finished_jobs:
        try:
            for finished in finished_jobs:
                yield Step([finished], sink.add(finished))
            closed = True
            last = sink.close(whole=not stop.is_set())
        finally:
            if not closed:
                sink.close(whole=False)
    yield Step([], last)


class Maker:
    """Makes images with `generator` and this process' share of the machine. A context manager;
    may be called again and again until it is left.

    `frames` where crops are pasted into whole ones; `writer` stores what is made. `cores`: how
    many it may take; None: all.
    """

    def __init__(
        self,
        options: RunOptions,
        inputs: Inputs,
        generator: PoseGenerator,
        judging: Judging | None,
        writer: Writer,
        frames: FrameFiles | None = None,
        cores: int | None = None,
    ) -> None:
        self._options = options
        self._inputs = inputs
        self._generator = generator
        self._judging = judging
        self._writer = writer
        self._frames = frames
        self._cores = cores or available_cores()
        self._find = JobFinder(options, inputs)
        self._opened = ExitStack()
        self._workers: Workers | None = None
        self._verify: Verify | None = None

    def __enter__(self) -> "Maker":
        with ExitStack() as stack:
            self._workers = stack.enter_context(closing(self._open_workers()))
            if self._judging:
                # Beside a GPU all cores look at the images of a batch; on a CPU each lane at
                # its own.
                with_gpu = self._generator.choice.backend.leaves_cpu
                verifier = self._judging.verifier(self._cores if with_gpu else 0)
                self._verify = stack.enter_context(closing(verifier))
            self._opened = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def __call__(
        self, jobs: Iterable[PlannedJob], shapes: Shapes, stop: threading.Event
    ) -> Generator[Finished, None, None]:
        """See `run_jobs`."""
        if self._workers is None:
            raise ValueError("enter it first")
        generate = generate_with(self._generator)
        found = (self._find(job) for job in jobs)
        return run_jobs(found, self._workers, generate, shapes, stop, self._verify)

    def _open_workers(self) -> Workers:
        options, inputs, annotated = self._options, self._inputs, self._inputs.background_labels
        make = functools.partial(
            Preparer,
            self._generator.image_size,
            inputs.reading,
            Fit.OBJECT if options.paste else options.fit,
            inputs.poses,
            self._generator.bundle.manifest.mask_range,
            inputs.viewpoints,
            self._frames,
            Looks(inputs.appearances, options.seed) if inputs.looks_by_object else None,
            annotated.sizes if annotated else None,
            again=inputs.per_mask > 1 or bool(inputs.pairs),
        )
        return open_workers(
            options.workers,
            self._generator.choice.backend,
            self._generator.image_size,
            make,
            self._writer,
            self._cores,
        )
