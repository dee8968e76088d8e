"""What a camera's lens and sensor add to a picture: blur and noise."""

from dataclasses import dataclass

import cv2
import numpy as np

from posegen.render.model import Bytes

_MOTION = 0.4
"""Share of the blurred photos that were moved, not out of focus."""


@dataclass(frozen=True)
class Sensor:
    """Ranges from which every photo draws its own values."""

    noise: tuple[float, float] = (0.0, 0.0)
    """Standard deviation of the noise at middle grey, levels of 255."""
    blur: tuple[float, float] = (0.0, 0.0)
    """Standard deviation of the blur in pixels."""

    def draw(self, rng: np.random.Generator) -> "Exposure":
        return Exposure(
            noise=float(rng.uniform(*self.noise)),
            blur=float(rng.uniform(*self.blur)),
            motion=bool(rng.random() < _MOTION),
            direction=float(rng.uniform(0, np.pi)),
        )


@dataclass(frozen=True)
class Exposure:
    """How one photo is taken."""

    noise: float
    blur: float
    motion: bool
    """Whether the blur is along `direction` (radians) only, as of a moved camera."""
    direction: float

    def take(self, image: Bytes, rng: np.random.Generator) -> Bytes:
        """The picture [H, W, 3] as the sensor sees it. The noise is drawn from `rng`: two pictures
        of one exposure share the blur and not the noise."""
        seen = image
        if self.blur > 0:
            seen = self._smeared(seen) if self.motion else _defocused(seen, self.blur)
        if self.noise > 0:
            # Half of the variance at middle grey is the reading's, half the light's own.
            level = self.noise * np.sqrt(0.5 + seen.astype(np.float32) / 255)
            noisy = seen + level * rng.standard_normal(seen.shape, np.float32)
            seen = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
        return seen

    def _smeared(self, image: Bytes) -> Bytes:
        """Moved at constant speed over a line whose standard deviation is `blur`."""
        half = self.blur * np.sqrt(3)
        size = 2 * int(np.ceil(half)) + 3
        kernel = np.zeros((size, size), np.float32)
        for step in np.linspace(-half, half, 4 * size + 1):
            x, y = (
                size // 2 + step * np.cos(self.direction),
                size // 2 + step * np.sin(self.direction),
            )
            column, row = int(np.floor(x)), int(np.floor(y))
            for i, wide in ((column, 1 - x + column), (column + 1, x - column)):
                for j, high in ((row, 1 - y + row), (row + 1, y - row)):
                    kernel[j, i] += wide * high
        kernel /= kernel.sum()
        return np.asarray(
            cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101), np.uint8
        )


def _defocused(image: Bytes, sigma: float) -> Bytes:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
