"""Generated images as files: `images/`, `masks/` and, for each image, its YOLO label."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from posegen_runtime.choices import ImageFormat
from posegen_runtime.frames.composer import Composer
from posegen_runtime.images import encode_image, encode_png
from posegen_runtime.labels.categories import category_of
from posegen_runtime.labels.coco import encode_mask
from posegen_runtime.labels.yolo import YoloLabels
from posegen_runtime.ledger import ImageResult, JobResult, Ledger, PlannedJob, State
from posegen_runtime.paths import write_atomic
from posegen_runtime.rows import Finished, Made, Written, data_of
from posegen_runtime.sinks.rejected import is_rejected, write_rejected
from posegen_runtime.sinks.tree import make_parent


class FileWriter:
    """Writes images with their mask and label files, each whole or not at all, the image last."""

    def __init__(
        self,
        out: Path,
        image_format: ImageFormat,
        labels: tuple[str, ...],
        categories: Mapping[str, int],
        composer: Composer | None = None,
    ) -> None:
        """`composer`: paints whole frames; None: every generated crop is an image."""
        self._composer = composer
        self._out = out
        self._format = image_format
        self._coco = bool({"coco", "bop", "kitti"} & set(labels))
        self._yolo = YoloLabels(categories) if "yolo" in labels else None
        self._categories = dict(categories)

    def __call__(self, made: Sequence[Made]) -> list[Written]:
        shown = [one for one in made if not is_rejected(one)]
        if self._composer is None:
            written = iter([self._write(one) for one in shown])
        else:
            written = iter(self._write_frame(self._composer, shown) if shown else [])
        return [
            write_rejected(self._out, self._format, one) if is_rejected(one) else next(written)
            for one in made
        ]

    def _write(self, made: Made) -> Written:
        start = time.perf_counter()
        prepared, image = made.prepared, made.image
        stem, mask = prepared.stem, prepared.mask
        picture, mask_file = f"images/{stem}.{self._format.value}", f"masks/{stem}.png"
        files: dict[str, bytes | memoryview] = {mask_file: encode_png(mask)}
        if self._yolo:
            category = category_of(prepared.pose, self._categories)
            files[self._yolo.file(stem)] = self._yolo.rows(mask, category).encode()
        files[picture] = encode_image(np.asarray(image), self._format)
        coco = encode_mask(mask) if self._coco else None
        encoded = time.perf_counter()
        for name, data in files.items():
            make_parent(self._out / name)
            write_atomic(self._out / name, data)
        end = time.perf_counter()
        return Written(
            result=ImageResult(
                object=prepared.object,
                state=State.DONE,
                image=picture,
                mask_file=mask_file,
                data=data_of(prepared, coco, made.verdict),
                timings={"encode": encoded - start, "write": end - encoded},
                finished=time.time(),
            )
        )

    def _write_frame(self, composer: Composer, made: Sequence[Made]) -> list[Written]:
        """One image of all objects, one mask each, and one label file."""
        start = time.perf_counter()
        frame, shown = composer(made)
        composed = time.perf_counter()
        job = made[0].prepared.job
        stem = f"{job.stem}{job.variation_suffix}"
        picture = f"images/{stem}.{self._format.value}"
        files: dict[str, bytes | memoryview] = {}
        rows, data = [], []
        for one in shown:
            prepared, whole = one.made.prepared, one.whole_mask
            files[f"masks/{prepared.stem}.png"] = encode_png(whole)
            fraction = one.visible_fraction
            seen = one.visible_mask if fraction < 1 else whole
            if self._yolo and fraction:
                category = category_of(prepared.pose, self._categories)
                rows.append(self._yolo.rows(seen, category))
            coco = encode_mask(whole) if self._coco else None
            visible = encode_mask(seen) if fraction < 1 else None
            data.append(data_of(prepared, coco, one.made.verdict, visible, round(fraction, 6)))
        if self._yolo:
            files[self._yolo.file(stem)] = "".join(rows).encode()
        files[picture] = encode_image(frame, self._format)
        encoded = time.perf_counter()
        for name, content in files.items():
            make_parent(self._out / name)
            write_atomic(self._out / name, content)
        spent = {
            "paste": composed - start,
            "encode": encoded - composed,
            "write": time.perf_counter() - encoded,
        }
        return [
            Written(
                result=ImageResult(
                    object=one.prepared.object,
                    state=State.DONE,
                    image=picture,
                    mask_file=f"masks/{one.prepared.stem}.png",
                    data=facts,
                    timings={stage: seconds / len(made) for stage, seconds in spent.items()},
                    finished=time.time(),
                )
            )
            for one, facts in zip(made, data, strict=True)
        ]


class FileSink:
    """Every image is durable as soon as it is written."""

    def __init__(self, writer: FileWriter) -> None:
        self._writer = writer

    @property
    def writer(self) -> FileWriter:
        return self._writer

    def jobs_to_do(self, ledger: Ledger, retry_failed: bool) -> Iterator[PlannedJob]:
        return ledger.pending(retry_failed)

    def add(self, finished: Finished) -> list[JobResult]:
        return [JobResult(finished.job.number, finished.images)]

    def close(self, whole: bool) -> list[JobResult]:
        return []
