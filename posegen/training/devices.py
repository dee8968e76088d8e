"""Fabric for what was asked, or one line on why it cannot be had."""

from typing import Literal

import torch
from lightning_fabric import Fabric

from posegen.config import TrainConfig, TrainPrecision
from posegen_runtime.errors import PoseGenError

PRECISIONS: dict[TrainPrecision, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    TrainPrecision.FULL: "32-true",
    TrainPrecision.BFLOAT16: "bf16-mixed",
    TrainPrecision.FLOAT16: "16-mixed",
}


def build_fabric(config: TrainConfig, device: str) -> Fabric:
    """`device` is auto, cpu or cuda. Raises `PoseGenError` when the machine lacks it, the batch
    cannot be shared out, or the precision does not exist there."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and torch.cuda.device_count() < config.devices:
        raise PoseGenError(
            f"--device cuda --devices {config.devices}: this machine has "
            f"{torch.cuda.device_count()} CUDA devices; use --device cpu or fewer"
        )
    if config.batch_size % config.devices:
        raise PoseGenError(
            f"--batch-size {config.batch_size}: not divisible by --devices {config.devices}"
        )
    if device == "cpu" and config.precision is TrainPrecision.FLOAT16:
        raise PoseGenError("--precision 16-mixed: needs CUDA; use bf16-mixed or 32 on the CPU")
    return Fabric(
        accelerator=device,
        devices=config.devices,
        strategy="ddp" if config.devices > 1 else "auto",
        precision=PRECISIONS[config.precision],
    )
