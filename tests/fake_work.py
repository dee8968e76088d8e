"""Readers and writers for worker processes: what they do follows from a job's name."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.geometry import Fit, Placement
from posegen_runtime.jobs import Job
from posegen_runtime.ledger.entries import ImageResult
from posegen_runtime.ledger.schema import State
from posegen_runtime.prepare import Preparer
from posegen_runtime.rows import Failure, Images, Made, Prepared, Written, data_of
from posegen_runtime.sources import Source

SIZE = 24, 40


def made_job(number: int, name: str = "") -> Job:
    """`name` says what becomes of it; see `Reader`."""
    name = name or f"{number}.png"
    return Job(
        mask=Source(Path("/masks") / name, name),
        stem=name.removesuffix(".png"),
        variation=0,
        variation_suffix="",
        appearance=Source(Path("/looks/a.png"), "a.png") if number % 2 else None,
        background=Source(Path("/places/b.png"), "b.png"),
        number=number,
    )


def made_array(seed: int, *shape: int) -> Images:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def made(job: Job, object_: int = 0) -> Prepared:
    height, width = SIZE
    seed = 1000 * job.number + object_
    placement = Placement(
        fit=Fit.FRAME, source_size=(48, 80), target_size=SIZE, window=(0, 0, 80, 48)
    )
    return Prepared(
        job=job,
        object=str(object_) if object_ else "",
        stem=f"{job.stem}_{object_}",
        mask=made_array(seed, height, width),
        placement=placement,
        appearance=made_array(seed + 1, height, width, 3) if job.appearance else None,
        background=made_array(seed + 2, height, width, 3) if job.background else None,
        pose=None,
        notes=["unclear", "naïve"],
        unclear_share=0.25,
        viewpoint=(0.0, 0.6, 0.8),
    )


class Reader:
    """Names: "objects-N", "pid", "sleep-SECONDS", "fails", "rejected", "odd", "strange",
    "kill-SIGNAL", "once-MARK": dies where there is no file MARK yet."""

    def __call__(self, job: Job) -> list[Prepared | Failure]:
        what, _, value = job.stem.partition("-")
        if what == "objects":
            return [
                Failure(object=str(i), reason="too thin") if i % 5 == 3 else made(job, i)
                for i in range(int(value))
            ]
        if what == "pid":
            return [Failure(reason=str(os.getpid()))]
        if what == "sleep":
            time.sleep(float(value))
        elif what == "fails":
            raise PoseGenError(f"{job.mask.path}: fails")
        elif what == "rejected":
            raise MaskRejected("empty") from ValueError("no pixel")
        elif what == "odd":
            return [made(job).mask]  # type: ignore[list-item]
        elif what == "strange":

            class StrangeError(Exception):
                """Cannot be pickled."""

            raise StrangeError("of a kind that only the worker knows")
        elif what == "once":
            mark = Path(value.replace("+", "/"))
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGSEGV)
        elif what == "kill":
            os.kill(os.getpid(), int(value))
        return [made(job)]


class Writer:
    """Gives back the image's bytes; or fails, as the job's name says."""

    def __call__(self, made: Sequence[Made]) -> list[Written]:
        return [self._write(one) for one in made]

    def _write(self, made: Made) -> Written:
        prepared, image = made.prepared, made.image
        what, _, value = prepared.job.stem.partition("-")
        if what == "full":
            raise PoseGenError("/out: cannot be written") from OSError(28, "No space left", "/out")
        if what == "slow":
            path, seconds = value.split("@")
            Path(path.replace("+", "/") + ".begun").touch()
            time.sleep(float(seconds))
            Path(path.replace("+", "/")).write_bytes(image.tobytes())
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        result = ImageResult(
            object=prepared.object,
            state=State.DONE,
            image=prepared.stem,
            data=data_of(prepared, None, made.verdict),
            timings={"write": np.float64(0.5)},
            finished=1.0,
        )
        return Written(
            result=result, files={"image": image.tobytes(), "pid": str(os.getpid()).encode()}
        )


class NotBefore:
    """Makes readers once `path` exists."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> Reader:
        while not self._path.exists():
            time.sleep(0.01)
        return Reader()


def broken() -> Callable[[Job], list[Prepared | Failure]]:
    raise PoseGenError("poses.jsonl: is gone; bring it back")


class Fragile(Preparer):
    """Of a run: dies of masks whose name begins with "deadly"."""

    def __call__(self, job: Job) -> list[Prepared | Failure]:
        if job.mask.name.startswith("deadly"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().__call__(job)
