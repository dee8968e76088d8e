import pytest
import torch

from posegen.config import TrainPrecision
from posegen.training.devices import build_fabric
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
        build_fabric(tiny_config(devices=64, batch_size=64), "cuda")


def test_a_batch_that_cannot_be_shared_out() -> None:
    with pytest.raises(PoseGenError, match="--batch-size 4: not divisible by --devices 3"):
        build_fabric(tiny_config(devices=3), "cpu")


def test_a_precision_that_the_cpu_lacks() -> None:
    with pytest.raises(PoseGenError, match="--precision 16-mixed: needs CUDA"):
        build_fabric(tiny_config(precision=TrainPrecision.FLOAT16), "cpu")
