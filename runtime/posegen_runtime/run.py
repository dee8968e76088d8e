"""One run of `posegen-run`, from options to outputs."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import msgspec

from posegen_runtime.advice import Advice
from posegen_runtime.backends.onnx import CPU
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import PoseGenerator, load_bundle
from posegen_runtime.images import write_png
from posegen_runtime.inputs import Inputs, find_inputs
from posegen_runtime.jobs import plan
from posegen_runtime.options import RunOptions
from posegen_runtime.pipeline import Shape, available_cores, choose_shape, generate_with, run_jobs
from posegen_runtime.prepare import Preparer
from posegen_runtime.preview import Preview
from posegen_runtime.progress import progress_bar, say
from posegen_runtime.run_record import (
    RunRecord,
    describe_bundle,
    describe_hardware,
    describe_versions,
)
from posegen_runtime.sinks.files import FileSink
from posegen_runtime.sinks.tree import PREVIEW, claim

FAILURES_SHOWN = 10
"""The rest is in the manifest."""
FAILURES_AT_START = 32
"""When nothing but failures came by then, the masks are read wrongly, and the run stops."""


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended."""

    done: int
    failed: int
    seconds: float
    interrupted: bool
    preview: Path | None


def run(options: RunOptions) -> Outcome:
    """Generate an image for every job and write them with their labels.

    Raises `PoseGenError` when the run cannot start or go on; one bad mask only costs its row.
    """
    provider = options.device.provider()
    bundle = load_bundle(options.bundle)
    inputs = find_inputs(options, bundle)
    # Parallel by jobs: a pool of threads inside each call would only get in the way.
    cv2.setNumThreads(1)
    threads = 1 if provider == CPU else None
    generator = PoseGenerator(bundle, options.precision, provider, threads)
    # Last of all that may refuse: from here on an earlier output is gone.
    claim(options.out, options.overwrite)
    shape = choose_shape(provider, bundle.manifest.max_batch, options.lanes)
    say(inputs.reading.explanation)
    if inputs.per_mask < options.per_mask:
        say(
            f"--per-mask {options.per_mask}: there are only {inputs.per_mask} different pairs of "
            "appearance and background, so as many images a mask are made"
        )
    record = RunRecord(
        options=_resolved(options, inputs, shape),
        bundle=describe_bundle(bundle),
        versions=describe_versions(generator.engine),
        hardware=describe_hardware(available_cores()),
        planned=inputs.planned,
    )
    record.write(options.out)
    preview = Preview(inputs.planned) if options.preview else None
    with _stopping() as stop:
        try:
            _generate(options, inputs, generator, shape, record, preview, stop)
        except PoseGenError as error:
            record.state, record.warnings = "stopped", [str(error)]
            with suppress(PoseGenError):  # a full disk may be what stopped it
                record.write(options.out)
            raise
    record.state = "interrupted" if stop.is_set() else "finished"
    record.write(options.out)
    for line in record.warnings:
        say(f"warning: {line}")
    sheet = _write_preview(preview, options.out)
    return Outcome(record.done, record.failed, record.seconds, stop.is_set(), sheet)


def _generate(
    options: RunOptions,
    inputs: Inputs,
    generator: PoseGenerator,
    shape: Shape,
    record: RunRecord,
    preview: Preview | None,
    stop: threading.Event,
) -> None:
    """Run every job and fill in what `record` says about the end."""
    manifest = generator.bundle.manifest
    prepare = Preparer(
        generator.image_size, inputs.reading, options.fit, inputs.poses, manifest.mask_range
    )
    jobs = plan(inputs.masks, inputs.appearances, inputs.backgrounds, inputs.per_mask, options.seed)
    advice = Advice()
    sink = FileSink(
        options.out, options.format, options.labels, inputs.categories, bool(inputs.poses)
    )
    start = time.perf_counter()
    try:
        with progress_bar(inputs.planned) as advance:
            for finished in run_jobs(
                jobs, prepare, generate_with(generator), sink.write, shape, stop
            ):
                sink.add(finished)
                record.done += finished.row.state == "done"
                record.failed += finished.row.state == "failed"
                without_pose = bool(inputs.poses) and finished.row.mask not in inputs.poses
                advice.add(finished.row, without_pose)
                if preview:
                    preview.add(finished)
                if finished.row.state == "failed" and record.failed <= FAILURES_SHOWN:
                    say(f"failed: {finished.row.mask}: {finished.row.reason}")
                if record.failed == FAILURES_AT_START and not record.done:
                    raise PoseGenError(
                        f"the first {FAILURES_AT_START} masks all failed, the last one because: "
                        f"{finished.row.reason}; {inputs.reading.explanation}; "
                        "set --mask-values or --mask-channel"
                    )
                advance()
    finally:
        sink.close()
    record.seconds = round(time.perf_counter() - start, 3)
    record.warnings = advice.lines()


def _resolved(options: RunOptions, inputs: Inputs, shape: Shape) -> dict[str, Any]:
    """The options with everything that was chosen for the user."""
    resolved: dict[str, Any] = msgspec.to_builtins(options, enc_hook=str)
    reading = inputs.reading
    resolved |= {
        "mask_values": str(reading.object_id or reading.values.value),
        "mask_channel": reading.channel.value,
        "per_mask": inputs.per_mask,
        "categories": inputs.categories,
        "appearances": len(inputs.appearances),
        "backgrounds": len(inputs.backgrounds),
        "lanes": shape.lanes,
        "batch": shape.batch,
    }
    del resolved["category"]
    return resolved


def _write_preview(preview: Preview | None, out: Path) -> Path | None:
    sheet = preview.sheet() if preview else None
    if sheet is None:
        return None
    write_png(out / PREVIEW, sheet)
    return out / PREVIEW


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a polite kill sets; the second time they end the process."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may handle signals
        return
    previous: dict[signal.Signals, Any] = {}

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()
        restore()

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        previous[number] = signal.signal(number, ask_to_stop)
    try:
        yield stop
    finally:
        restore()
