"""The number of images made at once: asked for, or the fastest, and never measured for nothing."""

import pytest

from posegen_runtime import shape
from posegen_runtime.choices import BackendName
from posegen_runtime.shape import PROBE, WARM_UP, WORTH, Shape, Shapes, candidates

USUAL, FIRST, SECOND = Shape(2, 1), Shape(2, 4), Shape(3, 1)
MANY = 10**9


class Machine:
    """Makes images at the rate of each shape, on its own clock."""

    def __init__(self, rates: dict[Shape, float]) -> None:
        self.rates = rates
        self.told: list[str] = []
        self.phases: list[tuple[Shape, float | None]] = []

    def run(self, planned: int) -> Shape:
        """All phases of a run; the shape that it ends with."""
        shapes = Shapes(list(self.rates), planned, self.told.append)
        for chosen, seconds in shapes.phases():
            self.phases.append((chosen, seconds))
            if seconds is not None:
                shapes.measured(chosen, round(self.rates[chosen] * seconds), seconds)
        assert self.phases[-1] == (shapes.chosen, None)
        return shapes.chosen


def test_the_fastest_is_kept_and_told() -> None:
    machine = Machine({USUAL: 50, FIRST: 60, SECOND: 80})
    assert machine.run(MANY) == SECOND
    assert machine.phases == [
        (USUAL, WARM_UP),
        (USUAL, PROBE),
        (FIRST, PROBE),
        (SECOND, PROBE),
        (SECOND, None),
    ]
    assert machine.told == [
        "3 lanes of batch 1, by the first images (2 lanes of batch 1: 50.0, "
        "2 lanes of batch 4: 60.0, 3 lanes of batch 1: 80.0 images/s)"
    ]


@pytest.mark.parametrize(("rate", "chosen"), [(1025, USUAL), (1035, FIRST), (900, USUAL)])
def test_less_than_three_percent_is_noise(rate: float, chosen: Shape) -> None:
    machine = Machine({USUAL: 1000, FIRST: rate, SECOND: 500})
    assert machine.run(MANY) == chosen
    assert machine.told[0].startswith(f"{chosen}, by the first images")


def test_the_warm_up_is_no_measurement() -> None:
    shapes = Shapes([USUAL, FIRST], MANY, lambda line: None)
    rates = iter([1.0, 100.0, 90.0])  # slow while it warms up
    for chosen, seconds in shapes.phases():
        if seconds is not None:
            shapes.measured(chosen, round(next(rates) * seconds), seconds)
    assert shapes.chosen == USUAL


def test_a_short_run_tries_nothing() -> None:
    machine = Machine({USUAL: 50, FIRST: 500})
    assert machine.run(round(50 * WORTH) - 1) == USUAL
    assert machine.phases == [(USUAL, WARM_UP), (USUAL, PROBE), (USUAL, None)]
    assert machine.told == []


def test_what_was_asked_for_is_not_measured() -> None:
    machine = Machine({USUAL: 50})
    assert machine.run(MANY) == USUAL
    assert machine.phases == [(USUAL, None)]
    assert machine.told == []


def test_a_phase_that_made_nothing_proves_nothing() -> None:
    machine = Machine({USUAL: 0, FIRST: 50})
    assert machine.run(MANY) == USUAL


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "available_cores", lambda: 4)


CPU, GPU = BackendName.CPU, BackendName.CUDA


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(
    ("backend", "lanes", "batch", "expected"),
    [
        (CPU, None, None, [Shape(4, 1), Shape(4, 4), Shape(5, 1)]),
        (BackendName.OPENVINO, None, None, [Shape(4, 1), Shape(4, 4), Shape(5, 1)]),
        (CPU, 3, None, [Shape(3, 1)]),
        (CPU, 5, None, [Shape(5, 1)]),
        (CPU, None, 4, [Shape(4, 4)]),
        (CPU, 3, 2, [Shape(3, 2)]),
        (CPU, 1, 64, [Shape(1, 16)]),
        (GPU, None, None, [Shape(2, 16), Shape(2, 8), Shape(3, 16), Shape(2, 4)]),
        (BackendName.TENSORRT, 3, None, [Shape(3, 16)]),
        (GPU, 2, None, [Shape(2, 16), Shape(2, 8), Shape(2, 4)]),
        (GPU, 1, 5, [Shape(1, 5)]),
        (GPU, 1, 64, [Shape(1, 64)]),  # a call of several batches copies beside computing
        (BackendName.NULL, None, 16, [Shape(2, 16), Shape(3, 16)]),
    ],
)
def test_candidates(
    backend: BackendName, lanes: int | None, batch: int | None, expected: list[Shape]
) -> None:
    assert candidates(backend, 16, lanes, batch, one_size=False) == expected


def test_images_that_depend_on_their_batch_keep_to_one_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shape, "available_cores", lambda: 4)
    found = candidates(BackendName.CPU, 16, None, None, one_size=True)
    assert found == [Shape(4, 1), Shape(5, 1)]
    assert {one.batch for one in candidates(BackendName.CUDA, 16, None, None, one_size=True)} == {
        16
    }
