from pathlib import Path

import pytest

from posegen_runtime.choices import BackendName
from posegen_runtime.cluster.sizing import Machine, Pool, machines_of, pool_for
from posegen_runtime.errors import PoseGenError
from posegen_runtime.options import RunOptions


def options(**given: object) -> RunOptions:
    return RunOptions(masks=Path("masks"), out=Path("out"), **given)  # type: ignore[arg-type]


def machine(cpus: int, gpus: int = 0) -> Machine:
    return Machine(f"{cpus}-{gpus}", "host", cpus, gpus)


def sizes(pool: Pool) -> tuple[int, int, int, int]:
    return pool.actors, pool.cpus, pool.gpus, len(pool.machines)


@pytest.mark.parametrize(
    ("machines", "given", "expected"),
    [
        ([machine(16), machine(8)], {}, (6, 4, 0, 2)),
        ([machine(16), machine(2)], {}, (9, 2, 0, 2)),
        ([machine(0), machine(2)], {}, (1, 2, 0, 1)),
        ([machine(16), machine(32, 4)], {}, (4, 8, 1, 1)),
        ([machine(16, 8), machine(32, 4)], {}, (12, 2, 1, 2)),
        ([machine(16), machine(32, 4)], {"backend": BackendName.CPU}, (12, 4, 0, 2)),
        ([machine(16), machine(32, 4)], {"actor_gpus": 0}, (12, 4, 0, 2)),
        ([machine(16), machine(32)], {"actor_cpus": 32}, (1, 32, 0, 1)),
        ([machine(16)], {"actors": 40}, (40, 4, 0, 1)),
        ([machine(16, 4)], {"actor_gpus": 2}, (2, 8, 2, 1)),
    ],
)
def test_actors_fill_the_machines_that_have_room(
    machines: list[Machine], given: dict[str, object], expected: tuple[int, int, int, int]
) -> None:
    assert sizes(pool_for(options(**given), machines)) == expected


def test_what_fits_nowhere_is_refused_with_what_there_is() -> None:
    with pytest.raises(PoseGenError, match=r"64 cores and 0 GPUs.*largest has 16 and 1"):
        pool_for(options(actor_cpus=64, actor_gpus=0), [machine(8), machine(16, 1)])
    with pytest.raises(PoseGenError, match=r"2 GPUs.*--actor-gpus"):
        pool_for(options(actor_gpus=2), [machine(8), machine(16, 1)])
    with pytest.raises(PoseGenError, match="none is there"):
        pool_for(options(), [])


def test_only_living_machines_count() -> None:
    nodes = [
        {"NodeID": "a", "NodeManagerHostname": "x", "Alive": True, "Resources": {"CPU": 3.0}},
        {"NodeID": "b", "NodeManagerHostname": "y", "Alive": False, "Resources": {"CPU": 3.0}},
        {"NodeID": "c", "NodeManagerHostname": "z", "Alive": True, "Resources": {"GPU": 1.0}},
    ]
    assert machines_of(nodes) == [Machine("a", "x", 3, 0), Machine("c", "z", 0, 1)]
