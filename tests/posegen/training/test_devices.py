import os
from dataclasses import replace

import pytest
import torch

from posegen.config import TrainPrecision
from posegen.training.devices import build_fabric, choose_device
from posegen.training.launch import Launch, find_launch, torchrun_variables
from posegen_runtime.errors import PoseGenError
from tiny_training import tiny_config


def test_the_cpu() -> None:
    fabric = build_fabric(tiny_config(), "cpu")
    assert fabric.device.type == "cpu"
    assert fabric.world_size == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_auto_takes_what_there_is() -> None:
    assert build_fabric(tiny_config(), "auto").device.type == "cpu"


def test_more_cuda_devices_than_there_are() -> None:
    with pytest.raises(PoseGenError, match="--device cuda --devices 64: this machine has"):
        choose_device(tiny_config(devices=64, batch_size=64), "cuda")


@pytest.mark.parametrize("address", [None, "elsewhere"])
def test_processes_of_srun_meet_on_the_first_machine_of_the_step(
    address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in torchrun_variables(Launch(), "", 0):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLURM_STEP_NODELIST", "gpu[07-08,12]")
    monkeypatch.setenv("SLURM_JOB_ID", "123456")
    if address is not None:
        monkeypatch.setenv("MASTER_ADDR", address)
    launch = Launch(devices=2, nodes=2, rank=3, local_rank=1, launcher="srun")
    build_fabric(tiny_config(devices=2, nodes=2), "cpu", launch)
    assert os.environ["MASTER_ADDR"] == (address or "gpu07")
    assert os.environ["MASTER_PORT"] == "18456"
    assert find_launch(None, None, os.environ) == replace(launch, launcher="torchrun")


def test_a_precision_that_the_cpu_lacks() -> None:
    with pytest.raises(PoseGenError, match="--precision 16-mixed: needs CUDA"):
        choose_device(tiny_config(precision=TrainPrecision.FLOAT16), "cpu")
