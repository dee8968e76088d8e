"""Fabric for what was asked, or one line on why it cannot be had."""

import logging
import os
from datetime import timedelta
from typing import Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import (
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)
from lightning_fabric.strategies import DDPStrategy

from posegen.config import TrainConfig, TrainPrecision
from posegen.training.launch import Launch, torchrun_variables
from posegen_runtime.errors import PoseGenError

PRECISIONS: dict[TrainPrecision, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    TrainPrecision.FULL: "32-true",
    TrainPrecision.BFLOAT16: "bf16-mixed",
    TrainPrecision.FLOAT16: "16-mixed",
}
ALONE = Launch()
SILENCE = timedelta(minutes=5)
"""How long a process waits for another before it takes it for lost. A process that ends is noticed
at once; this is for a machine that vanishes from the network."""


def choose_device(config: TrainConfig, device: str) -> str:
    """cpu or cuda for `device` auto, cpu or cuda. Raises `PoseGenError` when this machine lacks it
    or the precision does not exist there."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and torch.cuda.device_count() < config.devices:
        raise PoseGenError(
            f"--device cuda --devices {config.devices}: this machine has "
            f"{torch.cuda.device_count()} CUDA devices; use --device cpu or fewer, and let every "
            "process see all of them"
        )
    if device == "cpu" and config.precision is TrainPrecision.FLOAT16:
        raise PoseGenError("--precision 16-mixed: needs CUDA; use bf16-mixed or 32 on the CPU")
    return device


def build_fabric(config: TrainConfig, device: str, launch: Launch = ALONE) -> Fabric:
    """Fabric for one process, or for this one of those that a launcher started.

    `device` is auto, cpu or cuda. Raises `PoseGenError` as `choose_device` does.
    """
    device = choose_device(config, device)
    precision = PRECISIONS[config.precision]
    if launch.world == 1:
        # Named, since Fabric would look for launchers by rules of its own.
        alone = LightningEnvironment()
        return Fabric(accelerator=device, devices=1, precision=precision, plugins=[alone])
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if launch.launcher == "srun":
        os.environ.update(_as_torchrun(launch))
    return Fabric(
        accelerator=device,
        devices=launch.devices,
        num_nodes=launch.nodes,
        strategy=DDPStrategy(timeout=SILENCE),
        precision=precision,
        plugins=[TorchElasticEnvironment()],
    )


def _as_torchrun(launch: Launch) -> dict[str, str]:
    """Where the processes of a SLURM step meet: on its first machine, at a port that follows from
    the job, unless MASTER_ADDR and MASTER_PORT say otherwise."""
    machines = os.environ.get("SLURM_STEP_NODELIST") or os.environ.get("SLURM_NODELIST", "")
    first = SLURMEnvironment.resolve_root_node_address(machines) or "127.0.0.1"
    job = os.environ.get("SLURM_JOB_ID", "0")[-4:]
    address = os.environ.get("MASTER_ADDR") or first
    port = int(os.environ.get("MASTER_PORT") or 15000 + int(job))
    return torchrun_variables(launch, address, port)
