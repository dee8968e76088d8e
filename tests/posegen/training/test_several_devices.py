"""Two processes train what one trains: the same curves, files and ends."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from posegen.checkpoint import load_checkpoint
from posegen.config import Arch, LossConfig, TrainConfig, TrainPrecision, Variant
from posegen.training import devices, shared_norm
from posegen.training import loop as loop_module
from posegen.training import state as state_module
from posegen.training import step as step_module
from posegen.training.interrupt import Interrupt
from posegen.training.loop import TrainingDiverged
from posegen.training.processes import LostContact
from posegen_runtime.errors import PoseGenError
from synthetic_dataset import write_dataset
from tiny_training import replaced, tiny_config, train
from two_processes import in_processes

SHORT: dict[str, Any] = {"steps": 4, "evaluate_every": 2}
PLAIN = tiny_config(**SHORT)
EVERYTHING = tiny_config(
    rough_masks=0.5,
    crops=0.5,
    covered=0.5,
    shadowless=True,
    loss=LossConfig(lambda_features=2.0),
    **SHORT,
)
LATENT = tiny_config(arch=Arch.BOTTLENECK, variant=Variant.UNCONDITIONAL, image_size=16, **SHORT)
SAME = 1e-6


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data"))


def train_in_two(data: Path, out: Path, config: TrainConfig, **options: Any) -> list[Any]:
    """What `train` returns or raises in each of two processes."""
    shared = replaced(config, devices=2)
    folder = out.with_name(f"{out.name} ranks")
    return in_processes(folder, lambda rank: train(data, out, shared, **options))


def curves(run: Path) -> dict[str, np.ndarray]:
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    names = events.Tags()["scalars"]
    return {name: np.array([scalar.value for scalar in events.Scalars(name)]) for name in names}


def apart(one: Path, two: Path) -> float:
    """How far the curves of two runs are apart, as a share of each curve's largest value."""
    first, second = curves(one), curves(two)
    assert first.keys() == second.keys()
    return max(
        float(np.abs(values - second[name]).max() / np.abs(values).max())
        for name, values in first.items()
    )


def weights_apart(one: Path, two: Path) -> float:
    first, second = (load_checkpoint(run / "last.safetensors") for run in (one, two))
    return max(
        float((values.float() - other[name].float()).abs().max())
        for part, other in (
            (first.generator, second.generator),
            (first.discriminator, second.discriminator),
        )
        for name, values in part.items()
    )


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Arithmetic in which rounding hides nothing. In float32 sums in another order start errors of
    1e-7, which two networks that chase each other raise to 1e-3 in a few steps."""
    monkeypatch.setitem(devices.PRECISIONS, TrainPrecision.FULL, "64-true")
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_the_files_and_curves_are_those_of_one_process(data: Path, tmp_path: Path) -> None:
    config = tiny_config(viewpoint=True, **SHORT)
    one, two = tmp_path / "one", tmp_path / "two"
    train(data, one, config, save_every=1)
    assert train_in_two(data, two, config, save_every=1) == [0, 0]
    assert apart(one, two) < 0.01
    assert weights_apart(one, two) < 2e-3
    names = [sorted(p.name for p in run.iterdir()) for run in (one, two)]
    assert names[0] == names[1]
    assert len(list((two / "tensorboard").iterdir())) == 1
    settings = load_checkpoint(two).info.train_config
    assert (settings.devices, settings.nodes) == (2, 1)


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("config", [EVERYTHING, LATENT], ids=["everything", "latent"])
def test_exactly_the_same_is_computed(config: TrainConfig, data: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    train(data, one, config, save_every=1)
    assert train_in_two(data, two, config, save_every=1) == [0, 0]
    assert apart(one, two) < SAME
    assert weights_apart(one, two) < SAME


def norms_of_their_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(state_module, "share_statistics", lambda module, device: module)


def statistics_without_gradients(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shared_norm._Average, "backward", staticmethod(lambda ctx, gradient: gradient))


def numbers_of_their_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        step_module, "seed_step", lambda seed, step: torch.manual_seed(int(os.environ["RANK"]))
    )


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize(
    ("config", "fault"),
    [
        (PLAIN, norms_of_their_own),
        (PLAIN, statistics_without_gradients),
        (LATENT, numbers_of_their_own),
    ],
    ids=["norms", "gradients of the norms", "random numbers"],
)
def test_what_the_processes_do_not_share_is_seen(
    config: TrainConfig, fault: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    train(data, one, config, save_every=1)
    with monkeypatch.context() as context:
        fault(context)
        train_in_two(data, two, config, save_every=1)
    assert apart(one, two) > 1000 * SAME


@pytest.mark.usefixtures("in_double")
def test_a_run_goes_on_with_another_number_of_devices(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, moved = tmp_path / "straight", tmp_path / "moved"
    train(data, straight, PLAIN, save_every=1)
    interrupt = Interrupt()

    def stopping(state: Any, *rest: Any) -> Any:
        interrupt.received = signal.SIGTERM if state.step == 1 else None
        return step_module.train_step(state, *rest)

    with monkeypatch.context() as context:
        context.setattr(loop_module, "train_step", stopping)
        assert train(data, moved, PLAIN, interrupt, save_every=1) == 143
    assert train_in_two(data, moved, PLAIN, save_every=1) == [0, 0]
    assert apart(straight, moved) < SAME
    assert weights_apart(straight, moved) < SAME
    assert train_in_two(data, moved, PLAIN) == [0, 0]  # finished: nothing to do


@pytest.mark.usefixtures("in_double")
def test_fine_tuning_starts_from_the_same_weights_everywhere(data: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "base", replaced(PLAIN, seed=1))
    one, two = tmp_path / "one", tmp_path / "two"
    options = {"init": tmp_path / "base", "save_every": 1}
    train(data, one, PLAIN, **options)
    assert train_in_two(data, two, PLAIN, **options) == [0, 0]
    assert apart(one, two) < SAME
    parents = [load_checkpoint(run).info.lineage.parent for run in (one, two)]
    assert parents[0] == parents[1] is not None


def test_all_stop_at_the_step_at_which_one_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replaced(PLAIN, devices=2)

    def stopped(rank: int) -> tuple[int, int]:
        interrupt, steps = Interrupt(), []

        def one_step(state: Any, *rest: Any) -> Any:
            if rank == 1 and state.step == 2:
                interrupt.received = signal.SIGINT
            steps.append(state.step + 1)
            return step_module.train_step(state, *rest)

        monkeypatch.setattr(loop_module, "train_step", one_step)
        return train(data, tmp_path / "run", config, interrupt), steps[-1]

    assert in_processes(tmp_path / "ranks", stopped) == [(130, 3), (130, 3)]
    assert torch.load(tmp_path / "run" / "resume.pt", weights_only=True)["step"] == 3


def messages(raised: list[Any]) -> set[str]:
    assert all(isinstance(error, PoseGenError) for error in raised), raised
    return {str(error) for error in raised}


def test_what_is_wrong_on_one_machine_ends_the_run_on_all(data: Path, tmp_path: Path) -> None:
    config = replaced(PLAIN, devices=2)
    other = write_dataset(tmp_path / "other", seed=1)
    places = {"missing": tmp_path / "none", "other": other}
    for name, place in places.items():
        raised = in_processes(
            tmp_path / name,
            lambda rank, place=place: train(place if rank else data, tmp_path / "run", config),
        )
        (message,) = messages(raised)
        assert message.startswith(str(place))
    (tmp_path / "file").write_text("")
    raised = in_processes(
        tmp_path / "file ranks", lambda rank: train(data, tmp_path / "file" / "run", config)
    )
    (message,) = messages(raised)
    assert "cannot be written" in message


def test_all_leave_when_training_diverges(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(state: Any, *rest: Any) -> Any:
        if state.step == 1 and os.environ["RANK"] == "1":
            next(state.plain_generator.parameters()).data.fill_(float("nan"))
        return step_module.train_step(state, *rest)

    monkeypatch.setattr(loop_module, "train_step", spoilt)
    raised = train_in_two(data, tmp_path / "run", PLAIN)
    assert [type(error) for error in raised] == [TrainingDiverged, TrainingDiverged]


@pytest.mark.parametrize("moment", ["step", "save"])
def test_a_process_that_dies_leaves_none_hanging(
    moment: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(state: Any, *rest: Any) -> Any:
        if state.step == 1:
            os._exit(1)
        return step_module.train_step(state, *rest)

    def trained(rank: int) -> int:
        if moment == "step" and rank == 1:
            monkeypatch.setattr(loop_module, "train_step", dying)
        if moment == "save" and rank == 0:
            monkeypatch.setattr(loop_module, "save_resume", lambda *_: os._exit(1))
        return train(data, tmp_path / "run", replaced(PLAIN, devices=2))

    raised = in_processes(tmp_path / "ranks", trained)
    assert [type(error) for error in raised if error is not None] == [LostContact]


def test_machines_that_do_not_share_a_disk_read_the_data_each(data: Path, tmp_path: Path) -> None:
    def trained(rank: int) -> int:
        os.environ["LOCAL_RANK"], os.environ["LOCAL_WORLD_SIZE"] = "0", "1"
        return train(data, tmp_path / f"machine {rank}", replaced(PLAIN, nodes=2))

    assert in_processes(tmp_path / "ranks", trained) == [0, 0]
    assert (tmp_path / "machine 0" / "last.safetensors").is_file()
    left = [p for p in (tmp_path / "machine 1").rglob("*") if p.is_file()]
    assert left == []
