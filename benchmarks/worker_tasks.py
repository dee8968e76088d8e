"""What `workers.py` has its workers do; in a file of its own, so that they can load it."""

import time
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np

from posegen_runtime.geometry import Fit, Placement
from posegen_runtime.images import JPEG_QUALITY, read_resized_rgb
from posegen_runtime.jobs import Job
from posegen_runtime.labels.coco import encode_mask
from posegen_runtime.ledger import ImageResult, State
from posegen_runtime.maskfile import read_mask_file
from posegen_runtime.masks import MaskChannel
from posegen_runtime.rows import Failure, Made, Prepared, Written, data_of


class Reader(msgspec.Struct):
    """Without `files` every image has the same arrays, and no time goes into them."""

    size: int
    files: bool

    def __call__(self, job: Job) -> list[Prepared | Failure]:
        size = (self.size, self.size)
        placement = Placement(
            fit=Fit.FRAME, source_size=size, target_size=size, window=(0, 0, *size)
        )
        assert job.appearance is not None
        assert job.background is not None
        if self.files:
            mask = read_mask_file(job.mask.path).channel(MaskChannel.AUTO)
            mask = placement.mask(mask)
            photos = [read_resized_rgb(s.path, size) for s in (job.appearance, job.background)]
        else:
            mask = np.zeros(size, np.uint8)
            photos = [np.zeros((*size, 3), np.uint8)] * 2
        return [
            Prepared(
                job=job,
                object="",
                stem=job.stem,
                mask=mask,
                placement=placement,
                appearance=photos[0],
                background=photos[1],
                pose=None,
                notes=[],
            )
        ]


class Writer(msgspec.Struct):
    files: bool

    def __call__(self, made: Sequence[Made]) -> list[Written]:
        return [self._write(one) for one in made]

    def _write(self, made: Made) -> Written:
        prepared, image = made.prepared, made.image
        files = {}
        if self.files:
            bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
            quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
            files["image"] = cv2.imencode(".jpg", bgr, quality)[1].tobytes()
        coco = encode_mask(prepared.mask) if self.files else None
        data = data_of(prepared, coco)
        done = ImageResult(state=State.DONE, image=prepared.stem, data=data, finished=time.time())
        return Written(result=done, files=files)


class Make(msgspec.Struct):
    reader: Reader

    def __call__(self) -> Reader:
        return self.reader
