"""What a folder of masks means, judged from a sample of its files.

Instance ids fill areas with one value; antialiasing and JPEG leave many values on thin edges. So a
value is an id when its pixels mostly have neighbours of the same value ("plateau").
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from posegen_runtime.errors import MaskRejected, PoseGenError
from posegen_runtime.maskfile import MaskChannel, MaskFile, read_mask_file

SAMPLE = 32
"""Files looked at, evenly spaced."""
MAX_SIDE = 1000
"""Larger files are looked at through every n-th row and column."""
ENOUGH_PIXELS = 100_000_000
"""Looking ends when so many pixels were decoded: a sample of huge files must not take minutes."""

_PLATEAU = 0.6
_MIN_PLATEAU_PIXELS = 16
_NEAR = 1 / 32
"""Plateaus this near white (share of the range) are white: JPEG shifts whole blocks a little."""
_PHOTO_COLOURS = 64


def look_at(paths: Sequence[str | Path]) -> list[MaskFile]:
    """Decode up to `SAMPLE` files, evenly spaced; broken ones are left out.

    Raises `PoseGenError` when none can be read.
    """
    step = max(1.0, len(paths) / SAMPLE)
    files: list[MaskFile] = []
    first_error, decoded = None, 0
    for number in range(min(len(paths), SAMPLE)):
        try:
            file = read_mask_file(paths[int(number * step)])
        except PoseGenError as error:
            first_error = first_error or error
            continue
        decoded += file.pixels.shape[0] * file.pixels.shape[1]
        stride = -(-max(file.pixels.shape[:2]) // MAX_SIDE)
        files.append(file._replace(pixels=file.pixels[::stride, ::stride].copy()))
        if decoded > ENOUGH_PIXELS:
            break
    if not files:
        raise PoseGenError(f"none of the masks looked at can be read; the first: {first_error}")
    return files


def choose_channel(files: Sequence[MaskFile]) -> tuple[MaskChannel, str]:
    """Palette indices, alpha where it varies and colour does not say more, else luma."""
    palettes = [file for file in files if file.palette is not None]
    if len(palettes) * 2 > len(files):
        if all(_is_black_and_white(file) for file in palettes):
            return MaskChannel.LUMA, "palettes of black and white"
        return MaskChannel.INDEX, "palette images are read as indices"
    varying = [file for file in files if file.has_alpha and np.ptp(file.pixels[..., 3])]
    if len(varying) * 2 > len(files):
        if all(_colour_says_more(file) for file in varying):
            return MaskChannel.LUMA, "colour tells more than alpha"
        return MaskChannel.ALPHA, "alpha holds the shape"
    return MaskChannel.LUMA, "grey value holds the shape"


def choose_values(
    files: Sequence[MaskFile], channel: MaskChannel, several: bool = True
) -> tuple[str, str]:
    """`masks.MaskValues` word and reason. Raises `PoseGenError` where ids leave a choice, and
    advises ``each`` where `several` objects are of use."""
    found: dict[int, list[MaskFile]] = {}
    areas: set[int] = set()
    has_ids = False
    white = False
    for file, grey in _with_channel(files, channel):
        full = int(np.iinfo(grey.dtype).max)
        counts = np.bincount(grey.ravel())
        for value in (np.flatnonzero(counts[1:]) + 1).tolist():
            found.setdefault(value, []).append(file)
        near_white = full - int(full * _NEAR)
        white |= bool(counts[near_white:].sum())
        if not file.lossy:
            plateaus = _plateaus(grey, counts)
            areas |= plateaus
            has_ids |= any(value < near_white for value in plateaus)
    if not found:
        return "nonzero", "every mask looked at is black"
    if len(found) == 1 and white:
        return "half", "black and white"
    if len(found) == 1:
        return "nonzero", f"0 and {next(iter(found))} are the only values"
    if white and not has_ids:
        return "half", "black and white, with soft or noisy edges"
    shown = sorted(areas if has_ids else found)
    listed = ", ".join(map(str, shown[:12])) + (", ..." if len(shown) > 12 else "")
    rare = min(shown, key=lambda value: len(found[value]))
    where = f"; {rare} is in {found[rare][0].path}" if len(found[rare]) < len(files) else ""
    each = "each (one silhouette for every id), " if several else ""
    raise PoseGenError(
        f"--mask-values: which of the masks' values ({listed}) is the object? give its id, "
        f"or {each}nonzero (all are the object) or half{where}"
    )


def _with_channel(
    files: Sequence[MaskFile], channel: MaskChannel
) -> list[tuple[MaskFile, np.ndarray]]:
    """The files that have the channel; one that lacks it only costs its own row later."""
    held = []
    for file in files:
        with suppress(MaskRejected):
            held.append((file, file.channel(channel)))
    if not held:
        what = "alpha" if channel is MaskChannel.ALPHA else "palette"
        raise PoseGenError(f"--mask-channel {channel.value}: the masks have no {what}; use luma")
    return held


def _plateaus(grey: np.ndarray, counts: np.ndarray) -> set[int]:
    """Non-zero values most of whose pixels equal the pixel to the right and the one below."""
    inner = grey[:-1, :-1]
    same = inner[(inner == grey[:-1, 1:]) & (inner == grey[1:, :-1])]
    filled = np.bincount(same, minlength=len(counts))
    is_plateau = (counts >= _MIN_PLATEAU_PIXELS) & (filled >= _PLATEAU * counts)
    return {int(i) for i in np.flatnonzero(is_plateau) if i}


def _is_black_and_white(file: MaskFile) -> bool:
    assert file.palette is not None
    used = file.palette[np.flatnonzero(np.bincount(file.pixels.ravel())[: len(file.palette)])]
    return bool(np.isin(used, (0, 255)).all() and (used == used[:, :1]).all())


def _colour_says_more(file: MaskFile) -> bool:
    """Under the visible pixels: several colours, but not as many as a photo has."""
    visible = file.pixels[file.pixels[..., 3] > 0][:, :3]
    colours = len(np.unique(visible, axis=0))
    return 1 < colours <= _PHOTO_COLOURS
