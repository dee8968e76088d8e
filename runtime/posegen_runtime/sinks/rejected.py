"""Images that do not show what their label says: kept to be looked at, apart from the data set."""

import time
from pathlib import Path

import msgspec

from posegen_runtime.choices import ImageFormat
from posegen_runtime.images import encode_image, encode_png
from posegen_runtime.ledger.entries import ImageData, ImageResult
from posegen_runtime.ledger.schema import State
from posegen_runtime.paths import write_atomic
from posegen_runtime.rows import Made, Written, data_of
from posegen_runtime.sinks.tree import REJECTED, make_parent


def is_rejected(made: Made) -> bool:
    return made.verdict is not None and bool(made.verdict.reason)


def write_rejected(out: Path, image_format: ImageFormat, made: Made) -> Written:
    """Write an image that was rejected and its mask as files, whatever the sink of the others."""
    assert made.verdict is not None
    start = time.perf_counter()
    prepared = made.prepared
    picture = f"{REJECTED}/images/{prepared.stem}.{image_format.value}"
    mask_file = f"{REJECTED}/masks/{prepared.stem}.png"
    files = {mask_file: encode_png(prepared.mask), picture: encode_image(made.image, image_format)}
    encoded = time.perf_counter()
    for name, data in files.items():
        make_parent(out / name)
        write_atomic(out / name, data)
    end = time.perf_counter()
    return Written(
        result=ImageResult(
            object=prepared.object,
            state=State.REJECTED,
            reason=made.verdict.reason,
            image=picture,
            mask_file=mask_file,
            data=_data_of(made),
            timings={"encode": encoded - start, "write": end - encoded},
            finished=time.time(),
        )
    )


def _data_of(made: Made) -> ImageData:
    """With the pose before the camera of the crop, also where it was made for a frame."""
    prepared = made.prepared
    data, pose = data_of(prepared, None, made.verdict), prepared.pose
    height, width = prepared.mask.shape
    if pose is None or pose.image_size == (width, height):
        return data
    return msgspec.structs.replace(data, pose=pose.placed(prepared.placement))
