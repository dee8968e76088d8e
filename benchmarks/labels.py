"""How fast all label files are written from a ledger, and how much memory that takes.

    python benchmarks/labels.py [--images 100000] [--folder DIR]

Rows are as a run leaves them: a silhouette of 600 bytes of run lengths, a placement, a pose that
KITTI can hold, in every tenth image two objects of one frame that hide a part of each other. The
images and masks themselves are files of a few bytes, so that what is timed is labels and hard
links; writing them, and the YOLO text files, belongs to the run and is not timed. Formats are timed
together: COCO, YOLO, BOP, KITTI, poses and manifest, with a split. Seconds of the processor, which
say what a machine that does nothing else takes, are held to the bound, which is for 100,000 images;
how fast a disk makes files differs, so name one with --folder. Exit code 1 when a bound is missed.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import msgspec
import numpy as np
import typer

from posegen_runtime.jobs import Job
from posegen_runtime.labels.coco import CocoMask, encode_mask
from posegen_runtime.labels.plan import LabelPlan
from posegen_runtime.labels.splits import Split
from posegen_runtime.ledger import ImageData, ImageResult, JobResult, Ledger, State
from posegen_runtime.outputs import write_outputs
from posegen_runtime.poses import Pose
from posegen_runtime.sources import Source

SECONDS, MEGABYTES = 60.0, 500.0
SIZE = 256
BATCH = 500
DIMS = (1.5, 1.8, 4.2)
PLAN = LabelPlan(
    formats=("bop", "coco", "kitti", "yolo"),
    categories={"car": 1},
    with_poses=True,
    split=Split(shares=(0.9, 0.1), seed=0),
)


def made_jobs(count: int) -> Iterator[Job]:
    for number in range(count):
        name = f"scene/{number:07}.png"
        yield Job(Source(Path("/masks") / name, name), name[:-4], 0, "", None, None, number)


def made_data() -> ImageData:
    """A car seen from its side, with a rough outline."""
    rng = np.random.default_rng(0)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.rectangle(mask, (33, 96), (222, 159), 255, -1)
    for column in range(33, 223):
        mask[96 : 96 + rng.integers(0, 4), column] = 0
    pose = msgspec.convert(
        {
            "mask": "a.png",
            "category": "car",
            "R_m2c": [1, 0, 0, 0, 0, -1, 0, 1, 0],
            "t_m2c": [0, 0, 9.0],
            "t_unit": "m",
            "cam_K": [360, 0, 127.5, 0, 360, 127.5, 0, 0, 1],
            "image_size": [SIZE, SIZE],
            "camera_frame": "opencv",
            "pixel_center": "integer",
            "dims_hwl_m": DIMS,
        },
        Pose,
    )
    placement = {
        "fit": "object",
        "source_size": (1080, 1920),
        "target_size": (SIZE, SIZE),
        "window": (400, 700, 912, 1212),
        "sx": 0.5,
        "sy": 0.5,
        "tx": -200.0,
        "ty": -350.0,
    }
    return ImageData(placement=placement, coco=encode_mask(mask), pose=pose)


def fill(out: Path, count: int) -> int:
    """A ledger of `count` images and their small files; gives the number of objects."""
    data = made_data()
    assert data.coco is not None
    half = np.zeros((SIZE, SIZE), np.uint8)
    half[96:160, 33:120] = 255
    hidden: CocoMask = encode_mask(half)
    objects = 0
    for folder in ("images/scene", "masks/scene"):
        (out / folder).mkdir(parents=True)
    with Ledger.open(out, write=True) as ledger:
        ledger.plan(made_jobs(count), count)
        batch = []
        for job in ledger.pending():
            pair = job.job % 10 == 0
            images = []
            (out / f"images/{job.stem}.png").write_bytes(b"image")
            for place in ("1", "2") if pair else ("",):
                mask_file = f"masks/{job.stem}{place}.png"
                (out / mask_file).write_bytes(b"mask")
                shown = hidden if place == "2" else None
                images.append(
                    ImageResult(
                        object=place,
                        state=State.DONE,
                        image=f"images/{job.stem}.png",
                        mask_file=mask_file,
                        data=msgspec.structs.replace(data, visible=shown),
                        timings={"read": 0.001, "generate": 0.02, "write": 0.003},
                        finished=1.7e9,
                    )
                )
            objects += len(images)
            batch.append(JobResult(job.job, images))
            if len(batch) == BATCH:
                ledger.finish(batch)
                batch = []
        ledger.finish(batch)
    return objects


def write(out: Path) -> dict[str, float]:
    """Seconds and peak memory of the labels alone, in this process."""
    wall, processor = time.perf_counter(), time.process_time()
    with Ledger.open(out, write=False) as ledger:
        write_outputs(out, ledger, PLAN)
    return {
        "wall": time.perf_counter() - wall,
        "processor": time.process_time() - processor,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(
    images: Annotated[int, typer.Option(min=10, help="How many images.")] = 100_000,
    folder: Annotated[
        Path | None, typer.Option(help="Where to write, such as the disk to judge.")
    ] = None,
    write_only: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Time the label files and hold them to their bounds."""
    if write_only is not None:
        print(json.dumps(write(write_only)))
        return
    with tempfile.TemporaryDirectory(dir=folder) as made:
        out = Path(made)
        objects = fill(out, images)
        command = [sys.executable, __file__, "--write-only", made]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        files = sum(1 for path in (out / "labels").rglob("*") if path.is_file())
    bound = SECONDS * images / 100_000
    print(f"{images} images, {objects} objects, {files} files in labels/")
    print(f"wall      {found['wall']:8.1f} s")
    print(f"processor {found['processor']:8.1f} s, at most {bound:g} s")
    print(f"peak      {found['peak']:8.0f} MB, at most {MEGABYTES:g} MB")
    if found["processor"] > bound or found["peak"] > MEGABYTES:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)
