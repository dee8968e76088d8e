"""A sink of plain files for tests of what reads a run's output, and labels from its ledger."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from posegen_runtime.images import encode_png
from posegen_runtime.labels.coco import CocoWriter, encode_mask
from posegen_runtime.labels.yolo import label_rows
from posegen_runtime.ledger import ImageResult, JobResult, Ledger, PlannedJob, State
from posegen_runtime.paths import write_atomic
from posegen_runtime.rows import Finished, Made, Written, data_of


class PlainWriter(msgspec.Struct, frozen=True):
    """Stores image, mask and YOLO label at the places that the output's documentation names."""

    out: Path

    def __call__(self, made: Sequence[Made]) -> list[Written]:
        return [self._write(one) for one in made]

    def _write(self, made: Made) -> Written:
        prepared, image = made.prepared, made.image
        stem = prepared.stem
        rows = label_rows(prepared.mask, 0)
        for name, data in (
            (f"images/{stem}.png", encode_png(image)),
            (f"masks/{stem}.png", encode_png(prepared.mask)),
            (f"labels/yolo/labels/{stem}.txt", rows.encode()),
        ):
            (self.out / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.out / name, data)
        return Written(
            result=ImageResult(
                object=prepared.object,
                state=State.DONE,
                image=f"images/{stem}.png",
                mask_file=f"masks/{stem}.png",
                data=data_of(prepared, encode_mask(prepared.mask)),
                timings={"read": prepared.seconds},
                finished=1.7e9,
            )
        )


class PlainSink:
    """See `Sink`."""

    def __init__(self, out: Path) -> None:
        self._writer = PlainWriter(out)

    @property
    def writer(self) -> PlainWriter:
        return self._writer

    def jobs_to_do(self, ledger: Ledger, retry_failed: bool) -> Iterator[PlannedJob]:
        return ledger.pending(retry_failed)

    def add(self, finished: Finished) -> list[JobResult]:
        return [JobResult(finished.job.number, finished.images)]

    def close(self, whole: bool) -> list[JobResult]:
        return []


def write_outputs(out: Path, ledger: Ledger) -> None:
    """Manifest and COCO labels, in the order of the ledger."""
    coco = CocoWriter(out / "labels" / "coco", {"object": 1})
    lines = []
    for row in ledger.rows():
        lines.append(
            msgspec.json.encode(
                [row.job, row.mask, row.object, row.variation, row.state, row.reason, row.image]
            )
        )
        if row.state is State.DONE and row.data.coco:
            coco.add(row.image, [(row.data.coco, "object")])
    coco.close()
    write_atomic(out / "manifest.jsonl", b"\n".join(lines))
