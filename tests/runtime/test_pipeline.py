"""The pipeline: order kept, memory bounded, one bad job costs one row, stopping leaves no half."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from posegen_runtime import PoseGenerator, PoseGenError, shape
from posegen_runtime.geometry import Fit, place
from posegen_runtime.jobs import Job, plan
from posegen_runtime.ledger import ImageResult, State
from posegen_runtime.pipeline import AHEAD, GROUP, Generate, generate_with, run_jobs, whole_group
from posegen_runtime.rows import Failure, Finished, Made, Prepared, Written
from posegen_runtime.shape import Shape, Shapes
from posegen_runtime.sources import Source
from posegen_runtime.workers.base import Prepare, Workers, Writer
from posegen_runtime.workers.threads import InLane, ThreadWorkers
from tiny_bundle import SIZE, example_mask, example_photo, expected_image

MASK = np.full((8, 8), 255, np.uint8)
SHAPES = [Shape(1, 1), Shape(2, 1), Shape(3, 4)]
MakeWorkers = Callable[[Prepare, Writer], Workers]
WORKERS: dict[str, MakeWorkers] = {
    "in lane": InLane,
    "threads": lambda prepare, writer: ThreadWorkers(prepare, writer, 3),
}
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
all_workers = pytest.mark.parametrize("make_workers", WORKERS.values(), ids=WORKERS)


def jobs(count: int) -> list[Job]:
    masks = [Source(Path(f"{i:03}.png"), f"{i:03}.png") for i in range(count)]
    return list(plan(masks, [], [], 1, seed=0))


def prepare(job: Job) -> list[Prepared | Failure]:
    """Job 5 is bad; every fourth mask file holds two objects, of job 8 one is bad; some take
    longer."""
    number = int(job.stem)
    time.sleep(0.002 * (number % 3))
    if number == 5:
        return [Failure(reason="bad", of_mask=True)]
    placement = place(MASK, (8, 8), Fit.STRETCH)
    items: list[Prepared | Failure] = [
        Prepared(
            job=job,
            object=str(index),
            stem=f"{job.stem}_{index}",
            mask=np.full((8, 8), number % 256, np.uint8),
            placement=placement,
            appearance=None,
            background=None,
            pose=None,
            notes=[],
            seconds=0.5,
        )
        for index in range(2 if number % 4 == 0 else 1)
    ]
    if number == 8:
        items[0] = Failure(object="0", reason="too small", of_mask=True)
    return items


def generate(prepared: list[Prepared]) -> np.ndarray:
    return np.stack([np.repeat(p.mask[..., None], 3, axis=2) for p in prepared])


def write(made: Sequence[Made]) -> list[Written]:
    return [write_one(one.prepared, one.image) for one in made]


def write_one(prepared: Prepared, image: np.ndarray) -> Written:
    time.sleep(0.001 * (int(prepared.job.stem) % 2))
    assert (image == int(prepared.job.stem) % 256).all()
    return Written(
        result=ImageResult(
            object=prepared.object,
            state=State.DONE,
            image=f"images/{prepared.stem}.png",
            timings={"write": 0.25},
            finished=1.0,
        ),
        files={prepared.stem: b"bytes"},
    )


def go(
    jobs: Iterator[Job] | list[Job],
    shapes: Shape | Shapes,
    make_workers: MakeWorkers = InLane,
    stop: threading.Event | None = None,
    prepare: Prepare = prepare,
    generate: Generate = generate,
    write: Writer = write,
) -> Iterator[Finished]:
    if isinstance(shapes, Shape):
        shapes = Shapes([shapes], 10**9, lambda line: None)
    with (
        closing(make_workers(prepare, write)) as workers,
        closing(
            run_jobs(jobs, workers, generate, shapes, stop or threading.Event())
        ) as finished_jobs,
    ):
        yield from finished_jobs


def names(results: list[Finished]) -> list[str]:
    return [image.image or image.reason for result in results for image in result.images]


def expected_names(count: int) -> list[str]:
    special = {(5, 0): "bad", (8, 0): "too small"}
    return [
        special.get((n, i), f"images/{n:03}_{i}.png")
        for n in range(count)
        for i in range(2 if n % 4 == 0 else 1)
    ]


@every_shape
@all_workers
def test_every_job_comes_out_once_in_order_with_its_own_image(
    shape: Shape, make_workers: MakeWorkers
) -> None:
    results = list(go(jobs(30), shape, make_workers))
    assert [result.job.number for result in results] == list(range(30))
    assert names(results) == expected_names(30)
    for result in results:
        number = result.job.number
        assert all((made.image == number % 256).all() for made in result.made)
        done = [image for image in result.images if image.state is State.DONE]
        assert len(result.made) == len(result.files) == len(done)
    assert [result.job.number for result in results if result.of_mask] == [5]


def test_every_image_says_where_its_time_went() -> None:
    (finished,) = go(jobs(1)[:1], Shape(1, 1))
    for image in finished.images:
        assert list(image.timings) == ["read", "infer", "write"]
        assert (image.timings["read"], image.timings["write"]) == (0.5, 0.25)


def test_a_lane_reads_then_generates_then_writes_a_group_in_calls_of_a_batch() -> None:
    done: list[tuple[str, int]] = []

    def reading(job: Job) -> list[Prepared | Failure]:
        done.append(("read", 1))
        return prepare(job)

    def generating(prepared: list[Prepared]) -> np.ndarray:
        done.append(("generate", len(prepared)))
        return generate(prepared)

    def writing(made: Sequence[Made]) -> list[Written]:
        done.append(("write", 1))
        return write(made)

    shape = Shape(lanes=1, batch=2)
    list(go(jobs(6), shape, prepare=reading, generate=generating, write=writing))
    # Jobs 0 and 4 hold two objects, job 5 is bad; the first group is one call's.
    assert [*done[:6]] == [
        *[("read", 1)] * 2,
        *[("generate", 2), ("generate", 1)],
        *[("write", 1)] * 2,
    ]
    assert done[6:] == [
        *[("read", 1)] * GROUP,
        *[("generate", 2)] * 2,
        *[("write", 1)] * (GROUP - 1),
    ]


@every_shape
@all_workers
def test_jobs_in_flight_are_bounded(shape: Shape, make_workers: MakeWorkers) -> None:
    begun = finished = most = 0

    def counted() -> Iterator[Job]:
        nonlocal begun, most
        for job in jobs(200):
            begun += 1
            most = max(most, begun - finished)
            yield job

    for _ in go(counted(), shape, make_workers):
        finished += 1
    assert begun == finished == 200
    assert most <= AHEAD * shape.lanes * whole_group(shape.batch) + 1


@every_shape
@all_workers
def test_stopping_yields_what_is_in_flight_and_begins_nothing_new(
    shape: Shape, make_workers: MakeWorkers
) -> None:
    stop = threading.Event()
    written: list[str] = []

    def recorded(made: Sequence[Made]) -> list[Written]:
        written.extend(one.prepared.stem for one in made)
        return write(made)

    results = []
    for result in go(jobs(400), shape, make_workers, stop, write=recorded):
        results.append(result)
        if len(results) == 10:
            stop.set()
    stems = [made.prepared.stem for result in results for made in result.made]
    assert sorted(written) == stems
    assert 10 <= len(results) < 200


@all_workers
def test_closing_early_waits_for_what_is_written(make_workers: MakeWorkers) -> None:
    open_files = 0

    def slowly(made: Sequence[Made]) -> list[Written]:
        nonlocal open_files
        open_files += 1
        time.sleep(0.02)
        open_files -= 1
        return write(made)

    threads = threading.active_count()
    for _ in (running := go(jobs(100), Shape(2, 2), make_workers, write=slowly)):
        break
    running.close()  # type: ignore[attr-defined]
    assert open_files == 0
    assert threading.active_count() == threads


@pytest.mark.parametrize("step", ["prepare", "generate", "write"])
@all_workers
def test_an_error_that_is_no_bad_input_ends_the_run(step: str, make_workers: MakeWorkers) -> None:
    def broken(*_: object) -> np.ndarray:
        raise PoseGenError("no space left")

    threads = threading.active_count()
    with pytest.raises(PoseGenError, match="no space left"):
        list(go(jobs(50), Shape(2, 2), make_workers, **{step: broken}))  # type: ignore[arg-type]
    assert threading.active_count() == threads


@pytest.mark.parametrize(("shape", "workers"), [(Shape(1, 1), "threads"), (Shape(3, 1), "in lane")])
def test_decoding_inference_and_encoding_overlap(shape: Shape, workers: str) -> None:
    def slowly(result: object) -> object:
        time.sleep(0.02)
        return result

    start = time.perf_counter()
    list(
        go(
            jobs(30)[6:],
            shape,
            WORKERS[workers],
            prepare=lambda job: slowly(prepare(job)),  # type: ignore[arg-type,return-value]
            generate=lambda prepared: slowly(generate(prepared)),  # type: ignore[arg-type,return-value]
            write=lambda made: slowly(write(made)),  # type: ignore[arg-type,return-value]
        )
    )
    one_after_another = 24 * 3 * 0.02
    assert time.perf_counter() - start < 0.75 * one_after_another


@all_workers
def test_changing_the_shape_loses_and_doubles_nothing(
    make_workers: MakeWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "WARM_UP", 0.02)
    monkeypatch.setattr(shape, "PROBE", 0.02)
    monkeypatch.setattr(shape, "WORTH", 0)
    told: list[str] = []
    batches: set[int] = set()

    def counted(prepared: list[Prepared]) -> np.ndarray:
        batches.add(len({item.job.number for item in prepared}))
        return generate(prepared)

    shapes = Shapes([Shape(1, 1), Shape(2, 3), Shape(3, 2)], 300, told.append)
    results = list(go(jobs(300), shapes, make_workers, generate=counted))
    assert [result.job.number for result in results] == list(range(300))
    assert names(results) == expected_names(300)
    assert batches == {1, 2, 3}
    (line,) = told
    assert line.startswith(f"{shapes.chosen}, by the first images (1 lane of batch 1: ")


def test_a_run_that_is_over_while_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = Shapes(SHAPES, 10**9, lambda line: None)
    assert names(list(go(jobs(4), shapes))) == expected_names(4)
    assert shapes.chosen == SHAPES[0]


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
                conditions_key=bytes([index]),
            )
        )
    images = generate_with(generator)(batch)
    for prepared, image in zip(batch, images, strict=True):
        assert prepared.appearance is not None
        np.testing.assert_array_equal(
            image, expected_image(prepared.mask, prepared.appearance, shared)
        )
