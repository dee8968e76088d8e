import pytest

from posegen.training import launch as launch_module
from posegen.training.launch import Launch, find_launch, first_speaks, torchrun_variables
from posegen_runtime.errors import PoseGenError

MEETING = {"MASTER_ADDR": "first", "MASTER_PORT": "29500"}
TORCHRUN = MEETING | {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
}
SRUN = {
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
}


def test_alone_unless_asked_otherwise() -> None:
    assert find_launch(None, None, {}) == Launch()
    assert find_launch(3, None, {}) == find_launch(3, 1, {}) == Launch(devices=3)


@pytest.mark.parametrize(("environ", "name"), [(TORCHRUN, "torchrun"), (SRUN, "srun")])
def test_a_launcher_says_how_many(environ: dict[str, str], name: str) -> None:
    expected = Launch(devices=4, nodes=2, rank=5, local_rank=1, launcher=name)
    assert find_launch(None, None, environ) == find_launch(4, 2, environ) == expected
    with pytest.raises(PoseGenError, match=f"--devices 2: {name} started 4 processes on each of 2"):
        find_launch(2, None, environ)
    with pytest.raises(PoseGenError, match=f"--nodes 1: {name} started"):
        find_launch(None, 1, environ)


def test_torchrun_counts_inside_a_slurm_job() -> None:
    found = find_launch(None, None, SRUN | TORCHRUN)
    assert found.launcher == "torchrun"


@pytest.mark.parametrize(
    "environ",
    [
        {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"},
        SRUN | {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NUM_NODES": "1"},
        TORCHRUN | {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"},
        {"RANK": "0", "WORLD_SIZE": "2"},
    ],
    ids=["a batch script without srun", "one task", "one process", "half of the variables"],
)
def test_one_process_may_start_others(environ: dict[str, str]) -> None:
    environ.pop("SLURM_STEP_TASKS_PER_NODE", None)
    assert find_launch(4, None, environ) == Launch(devices=4)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (TORCHRUN | {"LOCAL_WORLD_SIZE": "3"}, "torchrun: 8 processes, 3 of them on this machine"),
        (SRUN | {"SLURM_STEP_NUM_NODES": "3"}, "srun: 8 tasks on 3 machines, not as many on each"),
        (SRUN | {"SLURM_STEP_TASKS_PER_NODE": "6,2"}, "srun: 8 tasks on 2 machines"),
    ],
)
def test_machines_must_be_alike(environ: dict[str, str], message: str) -> None:
    with pytest.raises(PoseGenError, match=message):
        find_launch(None, None, environ)


@pytest.mark.parametrize("missing", list(MEETING))
def test_a_launcher_must_say_where_processes_meet(missing: str) -> None:
    for environ in (TORCHRUN | {missing: ""}, {k: v for k, v in TORCHRUN.items() if k != missing}):
        with pytest.raises(PoseGenError, match="WORLD_SIZE 8: MASTER_ADDR and MASTER_PORT do not"):
            find_launch(None, None, environ)


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
@pytest.mark.parametrize("environ", [TORCHRUN, SRUN])
def test_a_port_is_a_number(environ: dict[str, str], port: str) -> None:
    with pytest.raises(PoseGenError, match=f"MASTER_PORT {port}: give it a number from 1 to 65535"):
        find_launch(None, None, environ | {"MASTER_PORT": port})


def test_several_machines_need_a_launcher_and_are_told_which() -> None:
    with pytest.raises(PoseGenError) as error:
        find_launch(4, 2, {})
    assert "torchrun --nnodes 2 --nproc-per-node 4 " in str(error.value)


def test_what_torchrun_would_set_is_found_again() -> None:
    launch = Launch(devices=4, nodes=2, rank=5, local_rank=1, launcher="torchrun")
    variables = torchrun_variables(launch, "first", 29500)
    assert find_launch(None, None, variables) == launch
    assert variables["GROUP_RANK"] == "1"


@pytest.mark.parametrize("environ", [{}, {"LOCAL_RANK": "0"}, {"SLURM_LOCALID": "0"}])
def test_the_first_process_speaks(environ: dict[str, str]) -> None:
    with pytest.raises(PoseGenError, match="no data"), first_speaks(environ):
        raise PoseGenError("no data")


@pytest.mark.parametrize("environ", [{"LOCAL_RANK": "2"}, {"SLURM_LOCALID": "1"}])
def test_the_others_leave_quietly(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_module, "_PATIENCE", 0)
    with pytest.raises(SystemExit) as leaving, first_speaks(environ):
        raise PoseGenError("no data")
    assert leaving.value.code == 2
