"""The picture that shows how training goes: mask, appearance, background, generated, real."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from posegen.data.prepared import Pixels
from posegen.models.generator import Generator
from posegen.training.evaluation import fixed_latent
from posegen.training.tensors import Tensors
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic

COLUMNS = 8
_GAP = 2


@torch.no_grad()
def sample_grid(generator: Generator, batch: Tensors) -> Pixels:
    """RGB uint8, a column a sample; rows: the inputs in use, the generated image, the photo."""
    image = generator(**batch.conditions, latent=fixed_latent(batch, generator.config))
    mask = None if batch.mask is None else batch.mask.expand(-1, 3, -1, -1) * 2 - 1
    rows = [mask, batch.appearance, batch.background, image, batch.photo]
    return picture_grid([_pixels(row) for row in rows if row is not None])


def _pixels(images: Tensor) -> Pixels:
    levels = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).cpu().numpy()


def picture_grid(rows: Sequence[Pixels]) -> Pixels:
    """Images uint8 [N, S, S, 3] of each row → one RGB picture, uint8, a column a sample."""
    gaps = ((0, 0), (0, _GAP), (0, _GAP), (0, 0))
    return np.concatenate([np.concatenate(list(np.pad(row, gaps)), axis=1) for row in rows])


def write_grid(path: Path, grid: Pixels) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PoseGenError(
            f"{path.parent}: cannot be made ({error.strerror}); free space or name another folder"
        ) from error
    _, encoded = cv2.imencode(".png", cv2.cvtColor(grid, cv2.COLOR_RGB2BGR))
    write_atomic(path, encoded.tobytes(), fsync=True)
