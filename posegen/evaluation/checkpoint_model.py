"""A checkpoint's averaged generator, as an exported graph runs it: uint8 in, uint8 out."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posegen.checkpoint import generator_of, load_checkpoint
from posegen.data.prepared import Pixels
from posegen.evaluation.model import Conditions
from posegen.models.generator import Generator
from posegen_runtime.errors import PoseGenError


class GeneratorModel:
    """A generator in eval mode, in float32 on its own device. `sha256` is that of the checkpoint it
    comes from, "" while it is in training."""

    def __init__(self, generator: Generator, sha256: str = "") -> None:
        self._generator = generator
        config = generator.config
        self.image_size = config.image_size
        self.inputs = config.inputs
        self.variant = config.variant
        kind = "/".join((config.arch.value, config.preset, config.variant.value))
        self.label = f"checkpoint, {kind} at {config.image_size} px"
        self.sha256 = sha256
        self._device = next(generator.parameters()).device

    def images(self, conditions: Conditions) -> Pixels:
        """Raises `PoseGenError` when the output holds NaN or infinity."""
        given = {name: self._to_network(name, conditions[name]) for name in self.inputs}
        return self._pixels(**given)

    def drawn(self, latent: NDArray[np.float32]) -> Pixels:
        """Images of latents float32 [N, n_z]: what the unconditional variant makes them from.

        Raises `PoseGenError` when the output holds NaN or infinity."""
        return self._pixels(latent=torch.from_numpy(latent).to(self._device))

    @torch.no_grad()
    def _pixels(self, **given: Tensor) -> Pixels:
        image = self._generator(**given)
        if not bool(torch.isfinite(image).all()):
            raise PoseGenError("the generator's output holds NaN or infinity; train it anew")
        levels = ((image + 1) * 127.5).clamp(0, 255).round()
        return levels.permute(0, 2, 3, 1).to(torch.uint8).cpu().contiguous().numpy()

    def _to_network(self, name: str, array: np.ndarray) -> Tensor:
        """Masks → {0, 1} [N, 1, S, S]; images → [-1, 1] [N, 3, S, S]; viewpoints as they are."""
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self._device).float()
        if name == "mask":
            return (tensor > 127).float().unsqueeze(1)
        return tensor if name == "viewpoint" else tensor.permute(0, 3, 1, 2) / 127.5 - 1


class CheckpointModel(GeneratorModel):
    """PyTorch in float32, eval mode. `threads` None leaves PyTorch's own number."""

    def __init__(self, path: Path, device: str = "auto", threads: int | None = None) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise PoseGenError("--device cuda: this machine has no CUDA device; use --device cpu")
        if threads is not None:
            torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = False  # float32 means float32
        checkpoint = load_checkpoint(path)
        name = "cpu" if device == "cpu" or not torch.cuda.is_available() else "cuda"
        generator = generator_of(checkpoint).float().to(torch.device(name))
        super().__init__(generator, checkpoint.sha256)
