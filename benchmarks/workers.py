"""What worker processes cost the run itself, with a generator that costs nothing.

    python benchmarks/workers.py [--images 20000] [--size 256] [--workers 1,2] [--batch 64]

First reading and writing cost nothing either: what is left is the handing over. CPU time of the
run an image is printed, in all its threads; at 16 px arrays weigh nothing, so that is close to
the time under the interpreter lock, which no number of cores makes shorter. Then each image reads
a mask and two photos and encodes a JPEG with its run lengths, with worker processes and with
threads, in turn. Exit code 1 when handing over costs the run more than it may.
"""

import resource
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from worker_tasks import Make, Reader, Writer

from posegen_runtime.jobs import Job
from posegen_runtime.rows import Made
from posegen_runtime.sources import Source
from posegen_runtime.workers.base import Workers
from posegen_runtime.workers.processes import ProcessWorkers
from posegen_runtime.workers.threads import ThreadWorkers

MOST = 100.0
"""Microseconds of the run's CPU time an image at 16 px."""
LANES = 2
FILES = 64


def write_inputs(folder: Path, size: int) -> None:
    draw = np.random.default_rng(0)
    for index in range(FILES):
        mask = np.zeros((size, size), np.uint8)
        centre, radius = (size // 2, size // 2), size // 8 + index % (size // 4)
        cv2.circle(mask, centre, radius, 255, -1)
        cv2.imwrite(str(folder / f"mask{index}.png"), mask)
        small = draw.integers(0, 256, (16, 16, 3), np.uint8)
        photo = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"photo{index}.jpg"), photo)


def made_jobs(folder: Path, count: int) -> list[Job]:
    jobs = []
    for number in range(count):
        index = number % FILES
        mask, photo = f"mask{index}.png", f"photo{index}.jpg"
        photo_source = Source(folder / photo, photo)
        jobs.append(
            Job(
                mask=Source(folder / mask, mask),
                stem=f"mask{index}",
                variation=number,
                variation_suffix=f"-v{number}",
                appearance=photo_source,
                background=photo_source,
                number=number,
            )
        )
    return jobs


def feed(workers: Workers, jobs: list[Job], batch: int, size: int) -> int:
    """Images that came through, `batch` at a time in two lanes, their results in order."""
    images = np.zeros((batch, size, size, 3), np.uint8)
    pending = iter(jobs)
    window: deque[Future[list]] = deque()

    def generate(inputs: list) -> list:
        ready = [item for reply in inputs for item in reply.result()]
        return [
            workers.write([Made(item, image)]) for item, image in zip(ready, images, strict=False)
        ]

    done = 0
    with ThreadPoolExecutor(LANES) as lanes:
        while (group := list(islice(pending, batch))) or window:
            if group:
                window.append(lanes.submit(generate, [workers.prepare(job) for job in group]))
            if len(window) >= 4 * LANES or not group:
                done += sum(bool(reply.result()) for reply in window.popleft().result())
    return done


def measure(workers: Workers, jobs: list[Job], batch: int, size: int) -> tuple[float, float]:
    """(images a second, CPU seconds of this process an image), once the workers are warm."""
    feed(workers, jobs[: 2 * batch], batch, size)
    wall, cpu = time.perf_counter(), time.process_time()
    done = feed(workers, jobs, batch, size)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    workers.close()
    assert done == len(jobs)
    return done / wall, cpu / done


def start_time(reader: Reader, writer: Writer, job: Job, size: int) -> float:
    """Seconds from nothing to the first image that was read."""
    start = time.perf_counter()
    workers = ProcessWorkers(Make(reader), writer, 1, (size, size))
    workers.prepare(job).result()
    took = time.perf_counter() - start
    workers.close()
    return took


def main(
    images: Annotated[int, typer.Option(help="Images of each measurement.")] = 20_000,
    size: Annotated[int, typer.Option(help="Pixels of the images' sides.")] = 256,
    workers: Annotated[str, typer.Option(help="Numbers of workers.")] = "1,2",
    batch: int = 64,
) -> None:
    missed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, size)
        jobs = made_jobs(folder, images)
        took = start_time(Reader(size, True), Writer(True), jobs[0], size)
        print(f"start of a worker to its first image: {took:.2f} s")
        for side, files in ((16, False), (size, False), (size, True)):
            for count in map(int, workers.split(",")):
                reader, writer = Reader(side, files), Writer(files)
                use = jobs if not files else jobs[: max(len(jobs) // 4, 1)]
                label = f"{side} px, {'files' if files else 'nothing'}, {count} "
                pool = ProcessWorkers(Make(reader), writer, count, (side, side))
                rate, cpu = measure(pool, use, batch, side)
                missed |= side == 16 and cpu * 1e6 > MOST
                print(
                    f"{label + 'processes':28} {rate:7.0f} images/s {cpu * 1e6:6.0f} µs of the run"
                )
                rate, cpu = measure(ThreadWorkers(reader, writer, count), use, batch, side)
                print(f"{label + 'threads':28} {rate:7.0f} images/s {cpu * 1e6:6.0f} µs of the run")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"largest worker: {peak / 1024:.0f} MB")
    sys.exit(missed)


if __name__ == "__main__":
    typer.run(main)
