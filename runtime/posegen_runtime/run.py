"""One run of `posegen-run`, from options to outputs."""

import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import cv2
import msgspec

from posegen_runtime.advice import Advice, FirstMasks
from posegen_runtime.backends.choosing import choose
from posegen_runtime.choices import MaskChannel
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
    describe_options,
    describe_versions,
)
from posegen_runtime.sinks.files import FileSink
from posegen_runtime.sinks.tree import PREVIEW, claim
from posegen_runtime.stopping import stopping
from posegen_runtime.viewpoints import explanation

FAILURES_SHOWN = 10
"""The rest is in the manifest."""


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
    bundle = load_bundle(options.bundle)
    inputs = find_inputs(options, bundle)
    # Parallel by jobs: a pool of threads inside each call would only get in the way.
    cv2.setNumThreads(1)
    choice = choose(options.backend, bundle, options.precision)
    generator = PoseGenerator(bundle, choice, threads=1)
    # Last of all that may refuse: from here on an earlier output is gone.
    claim(options.out, options.overwrite)
    shape = choose_shape(choice.backend, bundle.manifest.max_batch, options.lanes)
    say(str(choice))
    say(inputs.reading.explanation)
    if inputs.viewpoints is not None:
        origin = "poses" if inputs.poses else "the bundle"
        say(explanation(inputs.masks_with_viewpoint, len(inputs.masks), origin))
    if inputs.per_mask < options.per_mask:
        say(
            f"--per-mask {options.per_mask}: there are only {inputs.per_mask} different pairs of "
            "appearance and background, so as many images a mask are made"
        )
    record = RunRecord(
        options=describe_options(options, inputs, shape, choice),
        bundle=describe_bundle(bundle),
        versions=describe_versions(generator.engine),
        hardware=describe_hardware(available_cores()),
        planned=inputs.planned,
    )
    preview = Preview(inputs.planned) if options.preview else None
    with stopping() as stop:
        record.write(options.out)
        try:
            _generate(options, inputs, generator, shape, record, preview, stop)
        except KeyboardInterrupt:
            record.state = "interrupted"
            with suppress(PoseGenError):
                record.write(options.out)
            raise
        except PoseGenError as error:
            record.state, record.warnings = "stopped", [str(error), *record.warnings]
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
    """Run every job and fill in what `record` says about the end, however it comes."""
    manifest = generator.bundle.manifest
    prepare = Preparer(
        generator.image_size,
        inputs.reading,
        options.fit,
        inputs.poses,
        manifest.mask_range,
        inputs.viewpoints,
    )
    jobs = plan(inputs.masks, inputs.appearances, inputs.backgrounds, inputs.per_mask, options.seed)
    advice, first_masks = Advice(), FirstMasks(_reading_was_guessed(options))
    sink = FileSink(
        options.out, options.format, options.labels, inputs.categories, bool(inputs.poses)
    )
    job: tuple[str, int] | None = None
    start = time.perf_counter()
    try:
        # Closed before the sink: what is in flight is written until then.
        with (
            progress_bar() as show,
            closing(run_jobs(jobs, prepare, generate_with(generator), sink.write, shape, stop)) as (
                finished_jobs
            ),
        ):
            for finished in finished_jobs:
                row = finished.row
                sink.add(finished)
                record.add(row, surplus=job == (row.mask, row.variation))
                job = row.mask, row.variation
                advice.add(row, bool(inputs.poses) and row.mask not in inputs.poses)
                if preview:
                    preview.add(finished)
                if row.state == "failed" and record.failed <= FAILURES_SHOWN:
                    name = f"{row.mask}:{row.object}" if row.object else row.mask
                    say(f"failed: {name}: {row.reason}")
                first_masks.check(row, inputs.reading.explanation)
                show(record.done + record.failed, record.planned)
    finally:
        record.seconds = round(time.perf_counter() - start, 3)
        record.warnings = advice.lines()
        sink.close()


def _reading_was_guessed(options: RunOptions) -> bool:
    return options.mask_values == "auto" or options.mask_channel is MaskChannel.AUTO


def _write_preview(preview: Preview | None, out: Path) -> Path | None:
    sheet = preview.sheet() if preview else None
    if sheet is None:
        return None
    write_png(out / PREVIEW, sheet)
    return out / PREVIEW
