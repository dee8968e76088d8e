"""Generated images as files: `images/`, `masks/`, labels, and one manifest line a job."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.choices import ImageFormat
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import write_jpeg, write_png
from posegen_runtime.labels.coco import CocoWriter, encode_mask
from posegen_runtime.labels.poses import PoseWriter
from posegen_runtime.labels.yolo import YoloWriter
from posegen_runtime.pipeline import Finished
from posegen_runtime.rows import Prepared, done
from posegen_runtime.sinks.tree import MANIFEST, make_parent

Images = npt.NDArray[np.uint8]


class FileSink:
    """Writes one run into an empty directory.

    `write` does the work of one job and may be called from several threads; a file appears under
    its final name only when whole. `add` records finished jobs in order; `close` completes the
    labels with what was added, also after an interruption. Raises `PoseGenError` when the
    directory cannot be written.
    """

    def __init__(
        self,
        out: Path,
        image_format: ImageFormat,
        labels: Sequence[str],
        categories: Mapping[str, int],
        with_poses: bool,
    ) -> None:
        self._out = out
        self._format = image_format
        self._category = next(iter(categories)) if len(categories) == 1 else None
        folder = out / "labels"
        try:
            self._coco = CocoWriter(folder / "coco", categories) if "coco" in labels else None
            self._yolo = YoloWriter(folder / "yolo", categories) if "yolo" in labels else None
            self._poses = PoseWriter(folder) if with_poses else None
            self._manifest = (out / MANIFEST).open("wb")
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, prepared: Prepared, image: Images) -> Finished:
        """Write image, mask and label file of one job. Raises `PoseGenError` when it cannot."""
        picture = f"images/{prepared.stem}.{self._format.value}"
        mask_file = f"masks/{prepared.stem}.png"
        make_parent(self._out / picture)
        make_parent(self._out / mask_file)
        write_png(self._out / mask_file, prepared.mask)
        if self._yolo:
            make_parent(self._yolo.label_file(prepared.stem))
            self._yolo.write_label(prepared.stem, prepared.mask, self._category_of(prepared))
        write_image = write_png if self._format is ImageFormat.PNG else write_jpeg
        write_image(self._out / picture, image)
        coco = encode_mask(prepared.mask) if self._coco else None
        return Finished(done(prepared, picture, mask_file), prepared, image, coco)

    def add(self, finished: Finished) -> None:
        """Record a job: its manifest line, and its labels when it is done."""
        try:
            self._manifest.write(msgspec.json.encode(finished.row) + b"\n")
            self._manifest.flush()
            if finished.prepared is None:
                return
            file_name = finished.row.image.removeprefix("images/")
            if self._coco and finished.coco:
                category = self._category_of(finished.prepared)
                self._coco.add(file_name, finished.coco, category)
            if self._yolo:
                self._yolo.add(file_name)
            if self._poses and finished.prepared.pose:
                self._poses.add(finished.row.mask_file, finished.prepared.pose)
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Complete the labels. Raises `PoseGenError` when they cannot be written."""
        try:
            self._manifest.close()
            for writer in (self._coco, self._yolo, self._poses):
                if writer:
                    writer.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> PoseGenError:
        return PoseGenError(f"{self._out}: cannot be written ({error.strerror or error})")

    def _category_of(self, prepared: Prepared) -> str:
        if self._category is not None or prepared.pose is None:
            return self._category or "object"
        return prepared.pose.category
