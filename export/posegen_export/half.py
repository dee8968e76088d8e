"""A generator in half precision, and what it does there: overflows are seen, not computed away.

ONNX Runtime's CPU provider computes a float16 graph in float32, so that its images are right even
where half precision has long overflowed. Here every value between two operations is a float16.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from posegen.models import Generator
from posegen_export.graph import GeneratorGraph
from posegen_export.inputs import Feeds

PIECE = 4
"""Images at a time."""


class HalfArithmetic(TorchDispatchMode):
    """While it is on, records the largest absolute value of every float16 tensor that `generator`
    computes, and convolves in reasonable time.

    `peaks`: "path of the module: operation" → largest value, in order of execution, infinite where
    a value was infinite or NaN.

    PyTorch has no fast convolution in half precision on most CPUs. Here the sum of a convolution is
    taken in float32 and its result rounded to float16, as tensor cores do and as PyTorch's own slow
    one does.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.peaks: dict[str, float] = {}
        self._generator = generator
        self._path: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is torch.ops.aten.convolution.default and args[0].dtype == torch.float16:
            x, weight, bias, *rest = args
            out = func(x.float(), weight.float(), None if bias is None else bias.float(), *rest)
            out = out.half()
        else:
            out = func(*args, **(kwargs or {}))
        made = self._path and isinstance(out, Tensor) and out.dtype == torch.float16
        if made and not func.is_view:
            self._note(f"{self._path[-1]}: {func.overloadpacket.__name__}", out)
        return out

    def _note(self, name: str, tensor: Tensor) -> None:
        largest = float(tensor.abs().amax())
        if math.isnan(largest):
            largest = math.inf
        self.peaks[name] = max(self.peaks.get(name, 0.0), largest)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """The mode, with operations named by the module that runs them."""
        hooks = []
        for name, module in self._generator.named_modules():
            hooks.append(module.register_forward_pre_hook(self._entering(name)))
            hooks.append(module.register_forward_hook(self._leaving))
        try:
            with self:
                yield
        finally:
            for hook in hooks:
                hook.remove()

    def _entering(self, name: str) -> Any:
        return lambda module, arguments: self._path.append(name or "generator")

    def _leaving(self, module: nn.Module, arguments: Any, output: Any) -> None:
        self._path.pop()


@torch.no_grad()
def half_images(half: Generator, feeds: Feeds) -> tuple[npt.NDArray[np.uint8], dict[str, float]]:
    """Images uint8 [N, H, W, 3] of `half`, and its `HalfArithmetic.peaks`.

    `half` is a generator's `half_precision`; `feeds` as for a graph, in the order of its inputs.
    """
    graph, arithmetic = GeneratorGraph(half), HalfArithmetic(half)
    pieces = []
    with arithmetic.recording():
        for start in range(0, len(feeds["mask"]), PIECE):
            rows = [torch.from_numpy(array[start : start + PIECE]) for array in feeds.values()]
            pieces.append(graph(*rows).numpy())
    return np.concatenate(pieces), arithmetic.peaks
