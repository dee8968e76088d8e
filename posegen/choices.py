"""What options choose from; apart from torch, so that commands start quickly."""

from enum import Enum


class Device(str, Enum):
    """Where PyTorch runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
