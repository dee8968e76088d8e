"""What a file says about itself before it is decoded, and the decoding itself.

Everything is looked up in the bytes already read, so that a truncated or huge file costs nothing.
"""

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 150_000_000
"""Larger images are refused before a byte of them is decoded (450 MB as RGB)."""

MAX_SIDE = 1_000_000
"""The longest side that libpng reads, and no camera has."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"
_PNG_PALETTE = 3
_PILLOW_FORMATS = ("BMP", "PNG", "TIFF", "WEBP")
"""Pillow would try all of its fifty decoders on a file."""
_NO_SIZE_MARKERS = frozenset((0xC4, 0xC8, 0xCC))
_NO_LENGTH_MARKERS = frozenset((0x01, *range(0xD0, 0xD8)))
"""Of no segment: what follows is the next marker, as decoders see it."""
_START_OF_SCAN = 0xDA
_ORIENTATION = 0x0112


class Header(NamedTuple):
    """Format ("PNG", "JPEG", "BMP", "TIFF", "WEBP") and stored size in pixels."""

    format: str
    width: int
    height: int
    palette: bool = False
    lossy: bool = False
    """Values are not kept exactly (JPEG, lossy WebP)."""
    premultiplied: bool = False
    """cv2 would give its colours multiplied by alpha (TIFF)."""


def read_header(path: str | Path, data: bytes) -> Header:
    """The header of an image file, after checking that the file is whole and of a sane size.

    Raises `PoseGenError` naming the file when it is empty, no image, cut short or too large.
    """
    if not data:
        raise PoseGenError(f"{path}: the file is empty; write it again")
    if data.startswith(_PNG):
        header = _png_header(path, data)
    elif data.startswith(b"\xff\xd8\xff"):
        header = _jpeg_header(path, data)
    elif data.startswith((b"BM", b"II*\0", b"MM\0*", b"RIFF")):
        header = _pillow_header(path, data)
    else:
        raise PoseGenError(f"{path}: no image that is read here (PNG, JPEG, BMP, TIFF or WebP)")
    if header.width < 1 or header.height < 1:
        raise PoseGenError(f"{path}: an image of {header.width}×{header.height} pixels is empty")
    if max(header.width, header.height) > MAX_SIDE:
        raise PoseGenError(
            f"{path}: an image of {header.width}×{header.height} pixels is longer than the "
            f"{MAX_SIDE:,} read here; cut it"
        )
    if header.width * header.height > MAX_PIXELS:
        raise PoseGenError(
            f"{path}: {header.width}×{header.height} pixels are more than the "
            f"{MAX_PIXELS // 1_000_000} megapixels read here; make the image smaller"
        )
    return header


def decode(path: str | Path, data: bytes, flags: int) -> np.ndarray:
    """`cv2.imdecode` that raises `PoseGenError` naming the file. Channels in OpenCV's order."""
    with _decoding(path):
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    # Some files of more than 4 channels are decoded, and nothing can be done with them.
    if pixels is None or not pixels.size or pixels.shape[2:] not in ((), (3,), (4,)):
        raise _damaged(path)
    return np.asarray(pixels)


def open_pillow(path: str | Path, data: bytes) -> "Image":
    """The image in Pillow, not decoded yet. Raises `PoseGenError` naming the file."""
    # Only palettes, orientation and rarer formats need Pillow, so most runs never import it.
    from PIL import Image

    _silence_pillow()
    with _decoding(path):
        try:
            return Image.open(BytesIO(data), formats=_PILLOW_FORMATS)
        except Image.DecompressionBombError as error:
            raise PoseGenError(f"{path}: too many pixels; make the image smaller") from error


def decode_indices(path: str | Path, data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Indices uint8 [H, W] and palette uint8 [n, 3] RGB of a palette image (cv2 gives colours)."""
    from PIL import ImageOps

    image = open_pillow(path, data)
    with _decoding(path):
        indices = np.asarray(ImageOps.exif_transpose(image))
        palette = np.asarray(image.getpalette() or [], np.uint8).reshape(-1, 3)
    if indices.dtype != np.uint8 or indices.ndim != 2 or not indices.size or len(palette) > 256:
        raise _damaged(path)
    return indices, palette


def decode_unchanged(path: str | Path, data: bytes, header: Header) -> np.ndarray:
    """All channels at their stored depth, in OpenCV's order, turned upright by EXIF."""
    if not header.premultiplied:
        return _upright(path, data, header, decode(path, data, cv2.IMREAD_UNCHANGED))
    with _decoding(path):
        return cv2.cvtColor(np.asarray(open_pillow(path, data)), cv2.COLOR_RGBA2BGRA)


def _upright(path: str | Path, data: bytes, header: Header, pixels: np.ndarray) -> np.ndarray:
    """Under ``IMREAD_UNCHANGED`` cv2 leaves PNG and WebP as they are stored."""
    marker = {"PNG": b"eXIf", "WEBP": b"EXIF"}.get(header.format)
    if marker is None or marker not in data:
        return pixels
    orientation = _orientation(path, open_pillow(path, data))
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _png_header(path: str | Path, data: bytes) -> Header:
    """Walk the chunks to the last: for one that claims 2 GB, cv2 would make room, for seconds."""
    at = len(_PNG)
    while data[at + 4 : at + 12] != _PNG_END:
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if at + 12 > len(data):
            raise _truncated(path)
    if at < 33:
        raise _damaged(path)
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    return Header("PNG", width, height, palette=data[25] == _PNG_PALETTE)


def _jpeg_header(path: str | Path, data: bytes) -> Header:
    """Walk the segments to the first scan: thumbnails inside them have end markers of their own."""
    at, size = 2, None
    while at + 9 < len(data):
        if data[at] != 0xFF:
            raise _damaged(path)
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _NO_LENGTH_MARKERS:
            at += 2
            continue
        if marker == _START_OF_SCAN:
            if size is None:
                raise _damaged(path)
            if data.rfind(_JPEG_END, at) < 0:
                raise _truncated(path)
            return Header("JPEG", *size, lossy=True)
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE_MARKERS:
            height, width = (int.from_bytes(data[at + i : at + i + 2], "big") for i in (5, 7))
            size = width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise _truncated(path)


def _pillow_header(path: str | Path, data: bytes) -> Header:
    image = open_pillow(path, data)
    declared = {"BMP": data[2:6], "WEBP": data[4:8]}.get(image.format or "", b"")
    missing = int.from_bytes(declared, "little") - len(data)
    if missing > 0:
        raise _truncated(path)
    is_tiff = image.format == "TIFF"
    if is_tiff and _orientation(path, image) != 1:
        # Whether cv2 and Pillow turn a TIFF, and when, depends on their versions.
        raise PoseGenError(f"{path}: a TIFF that is stored turned; save it upright or as PNG")
    return Header(
        image.format or "",
        *image.size,
        palette=image.mode == "P",
        lossy=data.startswith(b"RIFF") and b"VP8L" not in data,
        premultiplied=is_tiff and image.mode == "RGBA",
    )


@functools.cache
def _silence_pillow() -> None:
    """It warns of what is refused here, or read well enough, in the middle of a progress bar."""
    warnings.filterwarnings("ignore", module=r"PIL\.")


def _orientation(path: str | Path, image: "Image") -> int:
    with _decoding(path):
        return int(image.getexif().get(_ORIENTATION, 1))


@contextmanager
def _decoding(path: str | Path) -> Iterator[None]:
    """Whatever a decoder raises about damaged bytes becomes a `PoseGenError`: Pillow's raise what
    they stumble over (struct.error, KeyError, TypeError, ...)."""
    try:
        yield
    except PoseGenError:
        raise
    except MemoryError as error:
        raise PoseGenError(f"{path}: does not fit in memory; make the image smaller") from error
    except Exception as error:
        raise _damaged(path) from error


def _truncated(path: str | Path) -> PoseGenError:
    return PoseGenError(f"{path}: the image file is cut short; copy or write it again")


def _damaged(path: str | Path) -> PoseGenError:
    return PoseGenError(f"{path}: the image file is damaged; copy or write it again")
