"""The plain loop that `throughput.py` compares with: PyTorch in eager mode, fed and drained by PIL.

It reads, generates and writes in turn, as the paper's published code does.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from posegen.checkpoint import load_generator
from posegen_runtime.choices import ImageFormat
from posegen_runtime.images import JPEG_QUALITY

BATCHES = (1, 2, 4, 8, 16, 32)

Job = dict[str, Path]
"""Files by input: mask, appearance, background."""


class Eager:
    """A checkpoint in PyTorch eager mode, on one thread for each of `cores`."""

    def __init__(self, checkpoint: Path, cores: int) -> None:
        torch.set_num_threads(cores)
        self._generator, _ = load_generator(checkpoint)
        self._size = self._generator.config.image_size
        self._inputs = self._generator.config.variant.inputs

    def best_batch(self, jobs: Sequence[Job], out: Path) -> int:
        """The one at which these jobs take least time."""
        sizes = [size for size in BATCHES if size <= len(jobs)]
        self.run(jobs, out, sizes[0], ImageFormat.JPG)
        return min(sizes, key=lambda size: self.run(jobs, out, size, ImageFormat.JPG))

    @torch.inference_mode()
    def run(self, jobs: Sequence[Job], out: Path, batch: int, image_format: ImageFormat) -> float:
        """Make every job's image below `out`; returns seconds."""
        out.mkdir(exist_ok=True)
        quality = {"quality": JPEG_QUALITY} if image_format is ImageFormat.JPG else {}
        start = time.perf_counter()
        for first in range(0, len(jobs), batch):
            rows = jobs[first : first + batch]
            feeds = {name: self._read(name, [row[name] for row in rows]) for name in self._inputs}
            images = self._generator(**feeds)
            pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
            for index, image in enumerate(pixels.numpy(), first):
                Image.fromarray(image).save(out / f"{index:06}.{image_format.value}", **quality)
        return time.perf_counter() - start

    def _read(self, name: str, paths: list[Path]) -> torch.Tensor:
        """Mask [N, 1, H, W] in {0, 1}; images [N, 3, H, W] in [-1, 1]."""
        size = self._size, self._size
        mode = "L" if name == "mask" else "RGB"
        opened = [np.asarray(Image.open(path).convert(mode).resize(size)) for path in paths]
        pixels = torch.from_numpy(np.stack(opened))
        if name == "mask":
            return (pixels > 127).float()[:, None]
        return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
