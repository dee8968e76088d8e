"""Mask files as they are stored: grey values, colours with alpha, or palette indices."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from posegen_runtime.choices import MaskChannel
from posegen_runtime.errors import MaskRejected
from posegen_runtime.imagefile import decode, decode_indices, decode_unchanged, read_header
from posegen_runtime.paths import read_bytes


class MaskFile(NamedTuple):
    """A decoded mask file. `pixels` is uint8 or uint16: [H, W], or [H, W, 3 or 4] in OpenCV's
    channel order, or palette indices [H, W] with `palette` uint8 [n, 3] RGB."""

    path: Path
    pixels: np.ndarray
    palette: np.ndarray | None
    lossy: bool
    """The format does not keep values exactly (JPEG, lossy WebP)."""

    @property
    def has_alpha(self) -> bool:
        return self.pixels.ndim == 3 and self.pixels.shape[2] == 4

    def channel(self, channel: MaskChannel) -> np.ndarray:
        """One channel as [H, W], uint8 or uint16. Raises `MaskRejected` when the file lacks it."""
        if channel is MaskChannel.ALPHA:
            if not self.has_alpha:
                raise MaskRejected(f"{self.path}: has no alpha; use --mask-channel luma")
            return np.ascontiguousarray(self.pixels[..., 3])
        if self.palette is not None:
            return self.pixels if channel is MaskChannel.INDEX else self._palette_luma()
        if self.pixels.ndim == 2:
            return self.pixels
        if channel is MaskChannel.INDEX:
            blue, green, red = cv2.split(self.pixels)[:3]
            if not (np.array_equal(blue, green) and np.array_equal(green, red)):
                raise MaskRejected(f"{self.path}: has no palette; use --mask-channel luma")
            return green
        return _luma(self.pixels)

    def _palette_luma(self) -> np.ndarray:
        assert self.palette is not None
        table = np.zeros((1, 256, 3), np.uint8)
        table[0, : len(self.palette)] = self.palette[:, ::-1]
        return cv2.LUT(self.pixels, _luma(table))


def read_mask_file(path: str | Path) -> MaskFile:
    """Decode any PNG, JPEG, BMP, TIFF or WebP of 1, 8 or 16 bits a channel.

    EXIF orientation is honoured, as in `images.read_rgb`. Raises `PoseGenError` naming the file.
    """
    data = read_bytes(path)
    header = read_header(path, data)
    if header.palette:
        indices, palette = decode_indices(path, data)
        return MaskFile(Path(path), indices, palette, False)
    if header.format == "JPEG":
        return MaskFile(Path(path), decode(path, data, cv2.IMREAD_GRAYSCALE), None, True)
    pixels = decode_unchanged(path, data, header)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise MaskRejected(f"{path}: {pixels.dtype} pixels; save the mask with 8 or 16 bits")
    return MaskFile(Path(path), pixels, None, header.lossy)


def _luma(pixels: np.ndarray) -> np.ndarray:
    """Grey value of [H, W, 3 or 4] in OpenCV's order; a colour that is not black never gives 0."""
    colours = pixels[..., :3]
    blue, green, red = cv2.split(pixels)[:3]
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return green
    # Simulators write class 1 as (1, 0, 0), which a plain grey conversion rounds to black.
    coloured = colours.any(axis=2).astype(pixels.dtype)
    return np.maximum(cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_BGR2GRAY), coloured)
