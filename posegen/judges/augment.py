"""What stands between a clean render and the pictures that a judge has to judge.

A generated image is softer than a render, mostly inside the silhouette and sometimes only there, so
that much of the damage falls on one region: the object's, or, so that the damage itself does not
tell where the object is, some other object's.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
_MIN_KEPT = 0.75
"""Share of the object's area that a crop must leave in the frame."""
_GREY = np.outer(np.ones(3), (0.299, 0.587, 0.114))
"""RGB → its grey, three times."""
_TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
"""The generator of turns about the grey axis."""


@dataclass(frozen=True)
class Views:
    """N pictures: `image` uint8 RGB [N, S, S, 3], `mask` uint8 [N, S, S] in {0, 255}, `azimuth`
    float64 [N] in radians (NaN where unknown)."""

    image: Pixels
    mask: Pixels
    azimuth: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.mask)

    def chosen(self, rows: NDArray[np.int64]) -> "Views":
        return Views(self.image[rows], self.mask[rows], self.azimuth[rows])


def augment(
    views: Views, others: Pixels, generator: np.random.Generator, damages: bool = True
) -> Views:
    """Each picture mirrored by chance, shifted, scaled and turned a little, then, where `damages`,
    given to `degrade` with `others`, silhouettes uint8 [N, S, S] of other pictures.

    A mirrored object is seen from the other side: its azimuth changes sign.
    """
    images, masks, azimuths = [], [], []
    for image, mask, azimuth, other in zip(
        views.image, views.mask, views.azimuth, others, strict=True
    ):
        if generator.random() < 0.5:
            image, mask, azimuth = image[:, ::-1], mask[:, ::-1], -azimuth
        image, mask = _move(image, mask, generator)
        images.append(degrade(image, mask, other, generator) if damages else image)
        masks.append(mask)
        azimuths.append(azimuth)
    return Views(np.stack(images), np.stack(masks), np.array(azimuths))


def degrade(image: Pixels, mask: Pixels, other: Pixels, generator: np.random.Generator) -> Pixels:
    """`image` uint8 [S, S, 3] with other colours, blur, noise and compression."""
    image = _recolour(image, generator)
    damaged = image
    for damage, chance in ((_soften, 0.5), (_resample, 0.3), (_add_noise, 0.3), (_compress, 0.3)):
        if generator.random() < chance:
            damaged = damage(damaged, generator)
    region = generator.choice(3, p=(0.5, 0.25, 0.25))
    if region == 0:
        return damaged
    share = _feathered(mask if region == 1 else other, generator)
    return np.rint(image + (damaged.astype(np.float32) - image) * share).astype(np.uint8)


def shift_edges(masks: Pixels, generator: np.random.Generator) -> Pixels:
    """Silhouettes [N, S, S] with their edges a little off, as a segmenter draws them."""
    rough = []
    for mask in masks:
        soft = cv2.GaussianBlur(mask, (0, 0), float(generator.uniform(0.4, 1.5)))
        rough.append(np.where(soft > generator.uniform(80, 175), 255, 0).astype(np.uint8))
    return np.stack(rough)


def _move(image: Pixels, mask: Pixels, generator: np.random.Generator) -> tuple[Pixels, Pixels]:
    size = len(mask)
    middle = (size - 1) / 2
    scale = float(np.exp(generator.uniform(np.log(0.8), np.log(1.25))))
    turned = cv2.getRotationMatrix2D((middle, middle), float(generator.uniform(-5, 5)), scale)
    matrix = np.asarray(turned, np.float64)
    matrix[:, 2] += generator.uniform(-0.12, 0.12, 2) * size
    covered = cv2.warpAffine(np.ascontiguousarray(mask), matrix, (size, size))
    moved = np.where(covered > 127, 255, 0).astype(np.uint8)
    if np.count_nonzero(moved) < _MIN_KEPT * scale**2 * np.count_nonzero(mask):
        return image, mask
    border = cv2.BORDER_REPLICATE
    seen = cv2.warpAffine(np.ascontiguousarray(image), matrix, (size, size), borderMode=border)
    return np.asarray(seen, np.uint8), moved


def _recolour(image: Pixels, generator: np.random.Generator) -> Pixels:
    """Hue and saturation (a turn and a stretch about grey), contrast, brightness, gamma."""
    turn = generator.normal(0, 0.15)
    saturation = generator.uniform(0.5, 1.4)
    rotation = np.eye(3) + np.sin(turn) * _TURN + (1 - np.cos(turn)) * _TURN @ _TURN
    matrix = np.empty((3, 4), np.float32)
    matrix[:, :3] = (_GREY + saturation * (np.eye(3) - _GREY)) @ rotation
    matrix[:, :3] *= generator.uniform(0.7, 1.3)
    matrix[:, 3] = generator.normal(0, 15)
    table = np.linspace(0, 1, 256) ** np.exp(generator.normal(0, 0.2)) * 255
    levels = cv2.transform(np.ascontiguousarray(image), matrix)
    return np.asarray(cv2.LUT(levels, np.rint(table).astype(np.uint8)), np.uint8)


def _soften(image: Pixels, generator: np.random.Generator) -> Pixels:
    """Gaussian blur, or the blur of a motion."""
    scale = len(image) / 128
    if generator.random() < 0.7:
        sigma = float(generator.uniform(0.4, 2.0)) * scale
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    length = max(int(generator.integers(3, 9) * scale), 2) | 1
    kernel = np.zeros((length, length), np.float32)
    angle = generator.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (length // 2)
    start, end = ((length // 2 + sign * reach).round().astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _resample(image: Pixels, generator: np.random.Generator) -> Pixels:
    """Made smaller and large again."""
    size = len(image)
    small = max(int(size / generator.uniform(1.3, 3.5)), 8)
    shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    how = cv2.INTER_LINEAR if generator.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(shrunk, (size, size), interpolation=how), np.uint8)


def _add_noise(image: Pixels, generator: np.random.Generator) -> Pixels:
    noise = generator.standard_normal(image.shape, np.float32) * generator.uniform(1, 12)
    return np.rint(image + noise).clip(0, 255).astype(np.uint8)


def _compress(image: Pixels, generator: np.random.Generator) -> Pixels:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(25, 90))]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _feathered(mask: Pixels, generator: np.random.Generator) -> NDArray[np.float32]:
    """[S, S, 1] in [0, 1]: the silhouette grown by some pixels, with a soft edge."""
    grown = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=int(generator.integers(0, 5)))
    soft = cv2.GaussianBlur(grown.astype(np.float32) / 255, (0, 0), 1.5)
    return np.asarray(soft, np.float32)[..., None]
