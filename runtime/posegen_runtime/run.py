"""One run of `posegen-run`, from options to outputs."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import msgspec

from posegen_runtime.advice import FirstMasks, RejectionWatch
from posegen_runtime.backends.choosing import AUTO, Choice, choose
from posegen_runtime.backends.varying import why_varying
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName, EngineName, MaskChannel
from posegen_runtime.committing import Committer
from posegen_runtime.errors import PoseGenError
from posegen_runtime.frames.files import FrameFiles
from posegen_runtime.generator import PoseGenerator, load_bundle
from posegen_runtime.inputs import Inputs, find_inputs
from posegen_runtime.judging import Judging, open_judging
from posegen_runtime.labels.asking import POSED, check_labels
from posegen_runtime.labels.emptiness import empty_formats
from posegen_runtime.labels.given_mesh import GivenMesh, open_mesh
from posegen_runtime.labels.mesh_fit import MeshFit
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.ledger import Counts, JobResult, Ledger, OutputLock, State
from posegen_runtime.making import Engine, Here, Work
from posegen_runtime.options import RunOptions
from posegen_runtime.outputs import write_outputs
from posegen_runtime.progress import Progress, say
from posegen_runtime.resuming import (
    Before,
    chosen_before,
    claim_or_resume,
    reopen_missing,
)
from posegen_runtime.rows import Finished
from posegen_runtime.run_record import RunRecord, describe
from posegen_runtime.same_run import identity_of
from posegen_runtime.shape import Shapes, candidates
from posegen_runtime.sinks.base import Sink
from posegen_runtime.sinks.opening import done_together, open_sink, reader_of
from posegen_runtime.sinks.tree import PREVIEW, check_place
from posegen_runtime.stopping import stopping
from posegen_runtime.viewpoints import explanation

if TYPE_CHECKING:
    from posegen_runtime.preview import LivePreview

FAILURES_SHOWN = 10
"""The rest is in the ledger and the manifest."""


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended. `counts` are those of the whole output, `made` images of this run; with
    --paste objects, in so many `images`."""

    counts: Counts
    made: int
    seconds: float
    interrupted: bool
    preview: Path | None
    report: Path | None
    empty: Sequence[str] = ()
    """Formats that were asked for and hold no object although images are done."""
    images: int | None = None


def run(options: RunOptions) -> Outcome:
    """Generate an image for every job that has none yet, and write them with their labels.

    Raises `PoseGenError` when the run cannot start or go on; one bad mask only costs its row.
    """
    options = _absolute(options) if options.engine is EngineName.RAY else options
    bundle = load_bundle(options.bundle)
    before = chosen_before(options)
    inputs = find_inputs(before.reading(options) if before else options, bundle)
    mesh = open_mesh(options, inputs)
    check_labels(options, inputs, mesh.box if mesh else None)
    # Parallel by jobs: a pool of threads inside each call would only get in the way.
    cv2.setNumThreads(1)
    check_place(options.out, options.fresh)
    with _open_engine(options, bundle, inputs, before) as engine:
        model = engine.model
        judging = open_judging(options, inputs.known_viewpoints)
        identity = identity_of(options, inputs, bundle, model.choice, model.engine, judging, mesh)
        with OutputLock(options.out) as lock:
            # Last of all that may refuse: from here on an earlier output may be gone.
            claim_or_resume(options, identity)
            with Ledger.open(options.out, write=True, lock=lock) as ledger:
                ledger.set_identity(identity)
                reopen_missing(options.out, ledger)
                if not ledger.is_planned():
                    jobs = options.shard.of(inputs.jobs(options.seed))
                    planned = options.shard.size(inputs.planned)
                    ledger.plan(jobs, planned, inputs.images(options.shard))
                _tell(options, inputs, model.choice, ledger.counts())
                if judging:
                    say(str(judging))
                return _Run(options, inputs, engine, judging, ledger, mesh).go()


@contextmanager
def _open_engine(
    options: RunOptions, bundle: Bundle, inputs: Inputs, before: Before | None
) -> Iterator[Engine]:
    was_auto = before is not None and options.backend is BackendName.AUTO
    backend = before.backend if before and was_auto else options.backend
    precision = before.precision if before and options.precision == AUTO else options.precision
    if options.engine is EngineName.RAY:
        from posegen_runtime.cluster import open_cluster

        with open_cluster(options, bundle, inputs, backend, precision) as cluster:
            yield cluster
        return
    choice = choose(backend, bundle, precision)
    if was_auto:
        choice = msgspec.structs.replace(choice, why="as before")
    yield Here(PoseGenerator(bundle, choice, threads=1))


def _absolute(options: RunOptions) -> RunOptions:
    """Without relative paths: other processes have other working directories."""
    paths = {
        name: value.absolute()
        for name, value in msgspec.structs.asdict(options).items()
        if isinstance(value, Path)
    }
    return msgspec.structs.replace(options, **paths)


class _Run:
    """What is left to do, done and written down however it ends."""

    def __init__(
        self,
        options: RunOptions,
        inputs: Inputs,
        engine: Engine,
        judging: Judging | None,
        ledger: Ledger,
        mesh: GivenMesh | None,
    ) -> None:
        self._options = options
        self._mesh = mesh
        self._inputs = inputs
        self._engine = engine
        self._judging = judging
        self._watch = RejectionWatch("object" if options.paste else "image")
        self._ledger = ledger
        self._frames = None
        if options.paste:
            self._frames = FrameFiles(inputs.reading, inputs.frames.members)
        self._sink: Sink = open_sink(options, inputs, self._frames)
        model = engine.model
        varying = why_varying(model.choice)
        shapes = candidates(
            model.choice.backend,
            model.bundle.manifest.max_batch,
            options.lanes,
            options.batch,
            bool(varying),
            engine.cores,
        )
        usual = shapes[0].batch
        if options.batch and usual < options.batch:
            say(f"note: --batch {options.batch}: the bundle takes at most {usual} images a call")
        if varying and usual > 1:
            say(
                f"note: some pixels may be other ones in another batch: {varying}; --batch 1 "
                "rules that out"
            )
        self._there = counts = ledger.counts()
        with ledger.view() as view:
            left = view.images_to_do(options.retry_failed, done_together(self._sink))
        left = max(left, counts.pending)
        self._shapes = Shapes(shapes, left, say)
        noun = "object" if options.paste else "image"
        self._progress = Progress(counts.planned, left, noun=noun)
        self._record = RunRecord.begin(
            options.out, describe(options, inputs, model, judging, engine.machines), ledger
        )
        self._made = 0
        is_posed = bool(set(POSED) & set(options.labels))
        self._mesh_fit = MeshFit(mesh.mesh) if mesh and is_posed else None

    def go(self) -> Outcome:
        options, record = self._options, self._record
        start = time.perf_counter()
        preview = self._open_preview()
        report: Path | None = None
        with stopping() as stop:
            try:
                record.write(options.out, self._ledger.counts())
                try:
                    self._generate(preview, stop)
                finally:
                    record.session.seconds = round(time.perf_counter() - start, 3)
                    record.session.made = self._made
                    record.shape(self._shapes.chosen)
                self._ledger_to_outputs()
            except BaseException as error:
                record.state = "stopped" if isinstance(error, Exception) else "interrupted"
                if isinstance(error, Exception):
                    record.warnings = [str(error) or repr(error), *record.warnings]
                with suppress(PoseGenError):  # a full disk may be what stopped it
                    record.write(options.out, self._ledger.counts())
                raise
            record.state = "interrupted" if stop.is_set() else "finished"
            counts = self._ledger.counts()
            if counts.pending and not stop.is_set():
                record.state = "stopped"
                left = f"{counts.pending} images are left to do; the same command tries them again"
                record.warnings = [left, *record.warnings]
            record.write(options.out, counts)
            report = self._write_report(counts)
        for line in record.warnings:
            say(f"warning: {line}")
        plan = LabelPlan.of(self._ledger.identity() or {})
        empty = empty_formats(options.out, plan.formats) if counts.done else []
        sheet = preview.close() if preview else None
        images = None
        if options.paste:
            with self._ledger.view() as view:
                images = view.images_done()
        seconds = record.session.seconds
        return Outcome(counts, self._made, seconds, stop.is_set(), sheet, report, empty, images)

    def _generate(self, preview: "LivePreview | None", stop: threading.Event) -> None:
        options, inputs = self._options, self._inputs
        # Images that are there prove the reading.
        proven = bool(self._there.done + self._there.rejected)
        first_masks = FirstMasks(_reading_was_guessed(options) and not proven)
        committer = Committer(self._ledger)
        work = Work(options, inputs, self._judging, self._sink, self._frames, self._ledger)
        with self._progress, closing(self._engine.steps(work, self._shapes, stop)) as steps:
            try:
                for step in steps:
                    self._commit(committer, step.standing)
                    for finished in step.finished:
                        self._look_at(finished)
                        if preview:
                            for made in finished.made:
                                preview.add(made)
                        first_masks.check(finished, inputs.reading.explanation)
            finally:
                committer.flush()

    def _commit(self, committer: Committer, results: list[JobResult]) -> None:
        self._made += sum(
            image.state is State.DONE for result in results for image in result.images
        )
        committer.add(self._mesh_fit.judged(results) if self._mesh_fit else results)

    def _look_at(self, finished: Finished) -> None:
        for image in finished.images:
            bad = image.state is State.FAILED
            self._progress.add(failed=bad)
            if advice := self._watch.add(image):
                say(advice)
            if bad and self._progress.failed <= FAILURES_SHOWN:
                mask = finished.job.mask.name
                name = f"{mask}:{image.object}" if image.object else mask
                say(f"failed: {name}: {image.reason}")

    def _open_preview(self) -> "LivePreview | None":
        if not self._options.preview:
            return None
        from posegen_runtime.preview import LivePreview

        return LivePreview(self._options.out / PREVIEW)

    def _ledger_to_outputs(self) -> None:
        identity: dict[str, Any] = self._ledger.identity() or {}
        plan = LabelPlan.of(identity)
        self._record.warnings = write_outputs(
            self._options.out,
            self._ledger,
            plan,
            self._inputs.background_labels,
            self._mesh.write if self._mesh else None,
        )

    def _write_report(self, counts: Counts) -> Path:
        from posegen_runtime.reporting import report_of

        options = self._options
        read = reader_of(options.out, options.sink)
        return report_of(options.out, self._ledger, read, counts, options.seed)


def _tell(options: RunOptions, inputs: Inputs, choice: Choice, counts: Counts) -> None:
    """What was chosen for the user, and what is there already."""
    say(str(choice))
    say(inputs.reading.explanation)
    if inputs.frames.members:
        say(f"{len(inputs.masks)} masks in {len(inputs.frames.sources)} frames")
    if inputs.viewpoints is not None:
        origin = "poses" if inputs.poses else "the bundle"
        say(explanation(inputs.masks_with_viewpoint, len(inputs.masks), origin))
    if not counts.planned:
        say(
            f"--shard {options.shard}: there are fewer images ({inputs.planned}) than shards; none "
            "is left for this one"
        )
    if inputs.per_mask < options.per_mask:
        say(
            f"--per-mask {options.per_mask}: there are only {inputs.per_mask} different pairs of "
            "appearance and background, so as many images a mask are made"
        )
    if counts.pending < counts.planned:
        failed = f", {counts.failed} failed" if counts.failed else ""
        rejected = f", {counts.rejected} rejected" if counts.rejected else ""
        things = "objects" if options.paste else "images"
        again = " (tried again)" if options.retry_failed and counts.failed else ""
        say(
            f"going on: {counts.done} of {counts.planned} {things} are done{rejected}{failed}"
            f"{again}, {counts.pending} to do"
        )


def _reading_was_guessed(options: RunOptions) -> bool:
    return options.mask_values == "auto" or options.mask_channel is MaskChannel.AUTO
