"""Float32 islands: what a generator computes in float32 though the rest runs in half precision.

Half precision has 11 bits and ends at 65,504. Sums over many positions, statistics and the levels
of the image need more. In a generator of another precision none of this does anything.
"""

import torch
from torch import Tensor, nn


def wide(x: Tensor) -> Tensor:
    """float16 → float32: here an island begins."""
    return x.float() if x.dtype == torch.float16 else x


def narrow(x: Tensor, like: Tensor) -> Tensor:
    """float32 → float16 where `like` is float16: here the island ends."""
    return x.to(like.dtype) if like.dtype == torch.float16 else x


def normalise(norm: nn.Module, x: Tensor) -> Tensor:
    """Batch norm with its statistics and its arithmetic in float32."""
    return narrow(norm(wide(x)), x)
