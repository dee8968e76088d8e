"""The pipeline: order kept, memory bounded, one bad job costs one row, stopping leaves no gap."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.choices import BackendName
from posegen_runtime.geometry import Fit, place
from posegen_runtime.jobs import Job, Source, plan
from posegen_runtime.pipeline import Finished, Shape, choose_shape, generate_with, run_jobs
from posegen_runtime.rows import Prepared, Row, done, failed
from tiny_bundle import SIZE, example_mask, example_photo, expected_image

MASK = np.full((8, 8), 255, np.uint8)
SHAPES = [Shape(1, 1), Shape(2, 1), Shape(3, 4)]


def jobs(count: int) -> list[Job]:
    masks = [Source(Path(f"{i:03}.png"), f"{i:03}.png") for i in range(count)]
    return list(plan(masks, [], [], 1, seed=0))


def prepare(job: Job) -> list[Prepared | Row]:
    """Job 5 is bad; every fourth mask file holds two objects; some take longer."""
    number = int(job.stem)
    time.sleep(0.002 * (number % 3))
    if number == 5:
        return [failed(job, "bad")]
    placement = place(MASK, (8, 8), Fit.STRETCH)
    return [
        Prepared(
            job=job,
            object=str(index),
            stem=f"{job.stem}_{index}",
            mask=np.full((8, 8), number, np.uint8),
            placement=placement,
            appearance=None,
            background=None,
            pose=None,
            notes=[],
        )
        for index in range(2 if number % 4 == 0 else 1)
    ]


def generate(prepared: list[Prepared]) -> np.ndarray:
    return np.stack([np.repeat(p.mask[..., None], 3, axis=2) for p in prepared])


def write(prepared: Prepared, image: np.ndarray) -> Finished:
    time.sleep(0.001 * (int(prepared.job.stem) % 2))
    return Finished(done(prepared, f"images/{prepared.stem}.png", ""), prepared, image)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_job_comes_out_once_in_order_with_its_own_image(shape: Shape) -> None:
    results = list(run_jobs(jobs(30), prepare, generate, write, shape, threading.Event()))
    names = [r.row.image or r.row.mask for r in results]
    expected = [
        "005.png" if n == 5 else f"images/{n:03}_{i}.png"
        for n in range(30)
        for i in range(2 if n % 4 == 0 else 1)
    ]
    assert names == expected
    for result in results:
        if result.prepared is not None and result.image is not None:
            assert (result.image == int(result.prepared.job.stem)).all()
    assert [r.row.reason for r in results if r.row.state == "failed"] == ["bad"]


@pytest.mark.parametrize("shape", SHAPES)
def test_jobs_in_flight_are_bounded(shape: Shape) -> None:
    begun = finished = most = 0

    def counted() -> Iterator[Job]:
        nonlocal begun, most
        for job in jobs(200):
            begun += 1
            most = max(most, begun - finished)
            yield job

    for result in run_jobs(counted(), prepare, generate, write, shape, threading.Event()):
        finished += result.row.object in ("", "0")
    assert begun == finished == 200
    assert most <= 4 * shape.lanes * shape.batch + shape.batch


@pytest.mark.parametrize("shape", SHAPES)
def test_stopping_yields_what_is_in_flight_and_begins_nothing_new(shape: Shape) -> None:
    stop = threading.Event()
    written: list[str] = []

    def recorded(prepared: Prepared, image: np.ndarray) -> Finished:
        written.append(prepared.stem)
        return write(prepared, image)

    results = []
    for result in run_jobs(jobs(400), prepare, generate, recorded, shape, stop):
        results.append(result)
        if len(results) == 10:
            stop.set()
    stems = [r.prepared.stem for r in results if r.prepared]
    assert sorted(written) == stems
    assert 10 <= len(results) < 200


@pytest.mark.parametrize("step", ["generate", "write"])
def test_an_error_after_preparing_ends_the_run(step: str) -> None:
    def broken(*_: object) -> np.ndarray:
        raise PoseGenError("no space left")

    steps = {"generate": generate, "write": write, step: broken}
    threads = threading.active_count()
    with pytest.raises(PoseGenError, match="no space left"):
        list(
            run_jobs(
                jobs(50), prepare, steps["generate"], steps["write"], Shape(2, 2), threading.Event()
            )
        )
    assert threading.active_count() == threads


def test_decoding_inference_and_encoding_overlap() -> None:
    def slowly(result: object) -> object:
        time.sleep(0.02)
        return result

    start = time.perf_counter()
    list(
        run_jobs(
            jobs(30)[6:],
            lambda job: slowly(prepare(job)),  # type: ignore[arg-type,return-value]
            lambda prepared: slowly(generate(prepared)),  # type: ignore[arg-type,return-value]
            lambda prepared, image: slowly(write(prepared, image)),  # type: ignore[arg-type,return-value]
            Shape(1, 1),
            threading.Event(),
        )
    )
    one_after_another = 24 * 3 * 0.02
    assert time.perf_counter() - start < 0.75 * one_after_another


def test_a_batch_of_different_conditions_keeps_them_apart(tiny_bundle: Path) -> None:
    generator = PoseGenerator.load(tiny_bundle)
    shared = example_photo(9, SIZE)
    batch = []
    for index, prepared in enumerate(item for job in jobs(4) for item in prepare(job)[:1]):
        assert isinstance(prepared, Prepared)
        batch.append(
            msgspec.structs.replace(
                prepared,
                mask=example_mask(index),
                appearance=example_photo(index, SIZE),
                background=shared,
            )
        )
    images = generate_with(generator)(batch)
    for prepared, image in zip(batch, images, strict=True):
        assert prepared.appearance is not None
        np.testing.assert_array_equal(
            image, expected_image(prepared.mask, prepared.appearance, shared)
        )


def test_shape_follows_the_backend() -> None:
    assert choose_shape(BackendName.CPU, 16, 3) == Shape(3, 1)
    assert choose_shape(BackendName.OPENVINO, 16, 3) == Shape(3, 1)
    assert choose_shape(BackendName.CUDA, 16, None).batch == 16
    assert choose_shape(BackendName.TENSORRT, 16, 3) == Shape(3, 16)
