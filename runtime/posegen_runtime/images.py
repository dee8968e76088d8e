"""Photos in, images out: RGB uint8 [H, W, 3], whatever the file holds."""

from pathlib import Path

import cv2
import numpy as np

from posegen_runtime.choices import ImageFormat
from posegen_runtime.errors import PoseGenError
from posegen_runtime.imagefile import decode, decode_unchanged, read_header
from posegen_runtime.paths import read_bytes, write_atomic

JPEG_QUALITY = 95
PNG_PHOTO = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY]
"""Hardly anything in a photo repeats: to look for it takes time and saves little."""


def read_rgb(path: str | Path) -> np.ndarray:
    """Read an 8- or 16-bit grey, RGB, RGBA or palette image as RGB uint8 [H, W, 3].

    PNG, JPEG, BMP, TIFF and WebP. 16 bits are scaled to 8, alpha is dropped (the colours stored
    under it count), and EXIF orientation is honoured: the array looks as a viewer shows the photo,
    here and for masks alike, so that a photo and a mask drawn over it agree. A turned TIFF is
    refused, because what libraries make of it depends on their version.

    Raises `PoseGenError` naming the file when it is missing, unreadable, no image, truncated,
    larger than `imagefile.MAX_PIXELS`, or of another pixel type.
    """
    data = read_bytes(path)
    header = read_header(path, data)
    if header.format in ("PNG", "JPEG"):
        pixels = decode(path, data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    else:
        # IMREAD_COLOR cuts a TIFF's 16 bits to 8, and older cv2 does not turn WebP.
        pixels = decode_unchanged(path, data, header)
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    elif pixels.dtype != np.uint8:
        raise PoseGenError(f"{path}: {pixels.dtype} pixels; save it with 8 or 16 bits a channel")
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    code = cv2.COLOR_BGRA2RGB if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(pixels, code)


def read_resized_rgb(path: str | Path, size: tuple[int, int]) -> np.ndarray:
    """`read_rgb`, cover-cropped to ``size`` = (height, width)."""
    return cover_crop(read_rgb(path), size)


def cover_crop(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Crop the middle of an image to the aspect of ``size`` = (height, width), then resize to it.

    Never pads, never changes the aspect by more than the rounding to whole pixels.
    rgb: uint8 [H, W, 3] → uint8 [h, w, 3].
    """
    height, width = rgb.shape[:2]
    target_height, target_width = size
    crop_width = max(1, min(width, round(height * target_width / target_height)))
    crop_height = max(1, min(height, round(width * target_height / target_width)))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return resize(rgb[top : top + crop_height, left : left + crop_width], size)


def resize(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize to (height, width): area where an axis shrinks, linear where it grows.

    Both keep the image where it is: the middle of the picture maps to the middle.
    """
    height, width = size
    # Rows, then columns: the rows of a huge image go three times faster than both at once, and
    # area on an axis that grows would be no area average.
    if pixels.shape[0] > height:
        pixels = cv2.resize(pixels, (pixels.shape[1], height), interpolation=cv2.INTER_AREA)
    if pixels.shape[1] > width:
        pixels = cv2.resize(pixels, (width, pixels.shape[0]), interpolation=cv2.INTER_AREA)
    if pixels.shape[:2] != (height, width):
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    return pixels


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write RGB uint8 [H, W, 3] or grey uint8 [H, W] as PNG, whole or not at all.

    Raises `PoseGenError` naming the file when it cannot be written.
    """
    write_atomic(path, encode_png(image))


def encode_image(image: np.ndarray, image_format: ImageFormat) -> bytes:
    """RGB uint8 [H, W, 3] as the bytes of a file."""
    if image_format is ImageFormat.PNG:
        return _encode(".png", image, PNG_PHOTO)
    return encode_jpeg(image)


def encode_png(image: np.ndarray) -> bytes:
    """RGB uint8 [H, W, 3] or grey uint8 [H, W] as the bytes of a PNG file."""
    # No compression level: setting one resets OpenCV's strategy and doubles the time.
    return _encode(".png", image, [])


def encode_jpeg(image: np.ndarray, quality: int = JPEG_QUALITY) -> bytes:
    """RGB uint8 [H, W, 3] or grey uint8 [H, W] as the bytes of a JPEG file."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encode(suffix: str, image: np.ndarray, parameters: list[int]) -> bytes:
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    return cv2.imencode(suffix, pixels, parameters)[1].tobytes()
