"""What an actor does: make whole shards, one after the other. Knows nothing of Ray."""

import os
import pickle
import socket
import sys
import threading
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import msgspec

from posegen_runtime.backends.choosing import Choice
from posegen_runtime.cluster.lease import Lease
from posegen_runtime.errors import PoseGenError
from posegen_runtime.frames.files import FrameFiles
from posegen_runtime.generator import PoseGenerator, load_bundle
from posegen_runtime.inputs import Inputs
from posegen_runtime.judging import open_judging
from posegen_runtime.ledger import ImageData, JobResult, PlannedJob
from posegen_runtime.making import Maker, through_sink
from posegen_runtime.options import RunOptions
from posegen_runtime.preview import SHOWN
from posegen_runtime.rows import Finished, Made
from posegen_runtime.shape import Shape, Shapes
from posegen_runtime.sinks.base import Sink
from posegen_runtime.sinks.opening import open_sink
from posegen_runtime.sources import Source

TRIES = 3
"""Begins of one shard; who dies of the last one leaves it undone."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """All that an actor must know of a run, but for the shards."""

    options: RunOptions
    """Without relative paths."""
    inputs: Inputs
    bundle: Path
    """Where the run has it; a machine may have the one that comes along elsewhere."""
    choice: Choice
    shape: Shape
    cores: int
    lease: Lease


class ShardResult(msgspec.Struct, kw_only=True):
    """What became of a shard.

    `died`: who began it before and did not end. `finished` are its jobs that are over and
    `standing` those for the ledger; all of them, unless the lease ended meanwhile (`stopped`), it
    was begun too often (`given_up`), or nothing more can be made at all: `error` and, where the
    system refused something, its `errno`.
    """

    shard: int
    host: str
    died: list[str] = []
    finished: list[Finished] = []
    standing: list[JobResult] = []
    stopped: bool = False
    given_up: bool = False
    error: str = ""
    errno: int | None = None


def to_bytes(result: ShardResult) -> bytes:
    """For the way to the run. What rows hold beside their columns goes as in the ledger: pickled,
    a value that is the default by chance would no longer be one, and the row another one."""
    data = [[image.data for image in job.images] for job in result.standing]
    return pickle.dumps((result, msgspec.json.encode(data)))


def from_bytes(data: bytes) -> ShardResult:
    result, encoded = pickle.loads(data)
    held = msgspec.json.decode(encoded, type=list[list[ImageData]])
    result.standing = [
        JobResult(
            job.job,
            [
                msgspec.structs.replace(image, data=one)
                for image, one in zip(job.images, ones, strict=True)
            ],
        )
        for job, ones in zip(result.standing, held, strict=True)
    ]
    return result


class ShardMaker:
    """Makes shards of one run, with files under their final names at the end. To make a shard
    twice, even at the same time, gives the same bytes twice."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._opened: dict[bool, tuple[Maker, Sink]] = {}
        self._stack = ExitStack()
        self._generator: PoseGenerator | None = None

    def __call__(self, shard: int, jobs: list[PlannedJob]) -> ShardResult:
        """Raises nothing that a user could mend: `ShardResult.error` says it."""
        result = ShardResult(shard=shard, host=socket.gethostname())
        lease = self._order.lease
        if not lease.holds():
            result.stopped = True
            return result
        try:
            result.died = lease.begin(shard)
            if len(result.died) >= TRIES:
                result.given_up = True
            else:
                self._make(jobs, result)
        except (PoseGenError, OSError, MemoryError) as error:
            result.error = str(error) or type(error).__name__
            cause = error if isinstance(error, OSError) else error.__cause__
            result.errno = cause.errno if isinstance(cause, OSError) else None
        finally:
            lease.over(shard)  # whoever dies does not come here
        return result

    def close(self) -> None:
        """End worker processes."""
        self._opened.clear()
        self._stack.close()

    def _make(self, jobs: list[PlannedJob], result: ShardResult) -> None:
        # Somebody died of this shard, perhaps of a file in it. From now on only processes that
        # read do: the crew says which file it is, and goes on.
        maker, sink = self._open(careful=bool(result.died))
        stop = threading.Event()
        shapes = Shapes([self._order.shape], len(jobs), lambda line: None)
        newest: deque[Made] = deque(maxlen=SHOWN if self._order.options.preview else 0)
        with self._order.lease.watched(stop):
            for step in through_sink(maker, sink, jobs, shapes, stop):
                for finished in step.finished:
                    newest.extend(finished.made)
                    light = msgspec.structs.replace(finished, files={}, made=[])
                    result.finished.append(light)
                result.standing += step.standing
        if newest:
            result.finished[-1] = msgspec.structs.replace(result.finished[-1], made=[*newest])
        result.stopped = stop.is_set()

    def _open(self, careful: bool) -> tuple[Maker, Sink]:
        if careful not in self._opened:
            self._opened[careful] = self._opened_now(careful)
        return self._opened[careful]

    def _opened_now(self, careful: bool) -> tuple[Maker, Sink]:
        order, options = self._order, self._order.options
        if self._generator is None:
            cv2.setNumThreads(1)
            bundle = load_bundle(options.bundle)
            self._generator = PoseGenerator(bundle, order.choice, threads=1)
        generator = self._generator
        inputs = moved(order.inputs, order.bundle, generator.bundle.root)
        if careful and not options.workers and sys.platform != "win32":
            options = msgspec.structs.replace(options, workers=1)
        judging = open_judging(options, inputs.known_viewpoints)
        frames = None
        if options.paste:
            frames = FrameFiles(inputs.reading, inputs.frames.members)
        sink = open_sink(options, inputs, frames)
        maker = Maker(options, inputs, generator, judging, sink.writer, frames, order.cores)
        return self._stack.enter_context(maker), sink


def moved(inputs: Inputs, there: Path, here: Path) -> Inputs:
    """`inputs` whose images of the bundle are those of the same bundle at another place."""
    if there == here:
        return inputs

    def find(sources: Any) -> Any:
        # Those of a folder are never the bundle's.
        return [_moved(one, there, here) for one in sources] if type(sources) is list else sources

    frames = msgspec.structs.replace(inputs.frames, sources=find(inputs.frames.sources))
    return msgspec.structs.replace(
        inputs,
        masks=find(inputs.masks),
        frames=frames,
        appearances=find(inputs.appearances),
        backgrounds=find(inputs.backgrounds),
    )


def _moved(source: Source, there: Path, here: Path) -> Source:
    if there not in source.path.parents:
        return source
    return Source(here / os.path.relpath(source.path, there), source.name)
