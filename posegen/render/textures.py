"""Grey tiles of ground and wall materials, and noise. The same at every start."""

from functools import cache, lru_cache

import cv2
import numpy as np

from posegen.render.model import Bytes, Floats

TILE = 768
"""Side of a tile in pixels."""
TILE_METRES = 12.0
"""Side of a tile in the world."""
MEAN = 160
"""A tile's mean level: half-way between dark grains and bright ones."""
MATERIALS = ("asphalt", "worn", "patched", "tarred", "cobbles", "gravel", "grass", "concrete",
             "slabs")  # fmt: skip
_METRE = TILE / TILE_METRES


@cache
def tile(material: str) -> Bytes:
    """A seamless tile, uint8 [TILE, TILE], mean about `MEAN`."""
    rng = np.random.default_rng([70, MATERIALS.index(material)])
    grain = noise(rng, 0.7)
    broad = noise(rng, 60) + 0.6 * noise(rng, 16)
    if material == "cobbles":
        image = 10 * grain + 5 * broad + _setts(rng, 0.14, 34.0)
    elif material == "slabs":
        image = 6 * grain + 6 * broad + _setts(rng, 0.5, 14.0)
    elif material == "concrete":
        image = 7 * grain + 9 * broad + _setts(rng, 4.0, 8.0)
    elif material == "gravel":
        image = 20 * grain + 16 * noise(rng, 1.6) + 6 * broad
    elif material == "grass":
        image = 18 * noise(rng, 0.8, 2.2) + 13 * noise(rng, 5) + 11 * broad
    else:
        image = 12 * grain + 7 * noise(rng, 1.5) + 5 * broad
        if material == "worn":
            image += 7 * noise(rng, 30, 90) - 35 * _cracks(rng, 26, 1)
        elif material == "patched":
            image += _patches(rng, 7) - 22 * _cracks(rng, 10, 1)
        elif material == "tarred":
            image += -48 * _cracks(rng, 9, 3) - 15 * _cracks(rng, 16, 1)
    return np.clip(MEAN + image, 0, 255).astype(np.uint8)


@lru_cache(maxsize=4)
def stains(side: int) -> Bytes:
    """Broad light and dark areas, uint8 [side, side], mean 128."""
    return _resized(_stains(), side)


@cache
def _stains() -> Bytes:
    small = cv2.resize(cloud_noise(), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return np.clip(128 + 40 * small, 0, 255).astype(np.uint8)


@cache
def cloud_noise() -> Floats:
    """Seamless fractal noise, float32 [TILE, TILE], mean 0, standard deviation 1."""
    rng = np.random.default_rng(77)
    layers = sum(blur**0.75 * noise(rng, blur) for blur in (3, 7, 15, 32, 64))
    return np.asarray(layers / np.std(layers), np.float32)


def noise(rng: np.random.Generator, blur: float, blur_y: float | None = None) -> Floats:
    """Seamless Gaussian noise [TILE, TILE] blurred by this many pixels, standard deviation 1."""
    field = np.fft.rfft2(rng.standard_normal((TILE, TILE), np.float32))
    y, x = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)
    power = -2 * np.pi**2 * ((x * blur) ** 2 + (y * (blur_y or blur)) ** 2)
    field[0, 0] = 0
    smooth = np.fft.irfft2(field * np.exp(power), (TILE, TILE))
    return np.asarray(smooth / smooth.std(), np.float64)


@lru_cache(maxsize=32)
def scaled(material: str, side: int) -> Bytes:
    """The tile, uint8 [side, side]. Most sheets of ground need it in one of two sizes."""
    return _resized(_halved(material, int(np.log2(max(TILE / side, 1)))), side)


@cache
def _halved(material: str, times: int) -> Bytes:
    """The tile at half its size, `times` over."""
    return _resized(tile(material), TILE >> times)


def _resized(tile: Bytes, side: int) -> Bytes:
    how = cv2.INTER_AREA if side < len(tile) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(tile, (side, side), interpolation=how), np.uint8)


def tones(color: Floats) -> Bytes:
    """What becomes of every grey in a colour, RGB 0..1: uint8 [1, 256, 3]. `MEAN` becomes the
    colour itself."""
    ramp = np.arange(256)[:, None] / MEAN * (color * 255)
    return np.clip(np.round(ramp), 0, 255).astype(np.uint8)[None]


def toned(grey: Bytes, table: Bytes) -> Bytes:
    """A grey tile in the colour of `tones`: uint8 [H, W, 3]."""
    return np.asarray(cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), table), np.uint8)


def _setts(rng: np.random.Generator, side: float, depth: float) -> Floats:
    """Stones of `side` metres in running bond: each its own level, dark joints between."""
    count = round(TILE_METRES / side)
    levels = rng.normal(0, 0.5, (count, count))
    y, x = np.mgrid[0:TILE, 0:TILE] / TILE * count
    row = y.astype(int)
    x = (x + 0.5 * (row % 2)) % count
    joint = np.minimum(np.minimum(x % 1, 1 - x % 1), np.minimum(y % 1, 1 - y % 1))
    width = max(0.02 / side, 0.05 if side < 0.3 else 0.008)
    stone = levels[row, x.astype(int) % count]
    return np.asarray(depth * (0.6 * stone - 1.2 * np.clip(1.2 - joint / width / 2, 0, 1)))


def _cracks(rng: np.random.Generator, count: int, width: int) -> Floats:
    """Wandering lines 0..1."""
    mask = np.zeros((TILE, TILE), np.uint8)
    for _ in range(count):
        steps = np.cumsum(rng.normal(0, 0.35, int(rng.integers(15, 60)))) + rng.uniform(0, 6.3)
        path = rng.uniform(0, TILE, 2) + np.cumsum(9 * np.c_[np.cos(steps), np.sin(steps)], axis=0)
        cv2.polylines(mask, [path.astype(np.int32)], False, 255, width, cv2.LINE_AA)
    return np.asarray(mask / 255.0)


def _patches(rng: np.random.Generator, count: int) -> Floats:
    """Mended rectangles, darker or lighter, with a dark seam."""
    image = np.zeros((TILE, TILE), np.float32)
    for _ in range(count):
        size = rng.uniform(0.5, 3.5, 2) * _METRE
        low = rng.uniform(0, TILE - size).astype(int)
        high = (low + size).astype(int)
        corners = tuple(int(c) for c in low), tuple(int(c) for c in high)
        cv2.rectangle(image, *corners, float(rng.uniform(-28, 14)), -1)
        cv2.rectangle(image, *corners, -34.0, 2)
    return np.asarray(image, np.float64)
