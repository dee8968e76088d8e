"""Silhouettes that are hard to describe: holes, parts, thin lines, the border."""

import cv2
import numpy as np

SIZE = 96


def hard_shapes() -> dict[str, np.ndarray]:
    """uint8 [H, W] in {0, 255} by name, not square."""
    return {
        "solid": _draw(lambda m: cv2.ellipse(m, (50, 40), (30, 18), 25, 0, 360, 255, -1)),
        "hole": _draw(_ring),
        "many holes": _draw(_lattice),
        "hole touching the border": _draw(_arch),
        "two parts": _draw(_occluded),
        "far parts": _draw(_far),
        "specks": _draw(_specks),
        "thin lines": _draw(_thin),
        "island in a hole": _draw(_island),
        "diagonal touch": _draw(_diagonal),
        "one pixel": _draw(lambda m: m.__setitem__((10, 20), 255)),
        "two pixels": _draw(lambda m: m.__setitem__((slice(10, 11), slice(20, 22)), 255)),
        "corner pixel": _draw(lambda m: m.__setitem__((0, 0), 255)),
        "last pixel": _draw(lambda m: m.__setitem__((-1, -1), 255)),
        "one column": _draw(lambda m: m.__setitem__((slice(None), 0), 255)),
        "full": _draw(lambda m: m.fill(255)),
        "frame": _draw(_frame),
        "comb": _draw(_comb),
    }


def random_shape(seed: int) -> np.ndarray:
    """Ellipses, holes and lines at random, uint8 [H, W]."""
    rng = np.random.default_rng(seed)

    def point() -> tuple[int, int]:
        return int(rng.integers(0, SIZE + 24)), int(rng.integers(0, SIZE))

    mask = np.zeros((SIZE, SIZE + 24), np.uint8)
    for _ in range(rng.integers(1, 4)):
        axes = int(rng.integers(4, 40)), int(rng.integers(4, 40))
        cv2.ellipse(mask, point(), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
    for _ in range(rng.integers(0, 6)):
        cv2.circle(mask, point(), int(rng.integers(1, 8)), 0, -1)
    for _ in range(rng.integers(0, 3)):
        cv2.line(mask, point(), point(), 255, 1)
    return mask


def _draw(paint: object) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE + 24), np.uint8)
    paint(mask)  # type: ignore[operator]
    return mask


def _ring(mask: np.ndarray) -> None:
    cv2.circle(mask, (60, 48), 35, 255, -1)
    cv2.circle(mask, (60, 48), 20, 0, -1)


def _lattice(mask: np.ndarray) -> None:
    mask[10:80, 10:100] = 255
    for x in range(14, 96, 8):
        for y in range(14, 76, 8):
            mask[y : y + 4, x : x + 4] = 0


def _arch(mask: np.ndarray) -> None:
    mask[20:, 20:100] = 255
    mask[50:, 45:75] = 0
    mask[30:40, 30:40] = 0


def _occluded(mask: np.ndarray) -> None:
    cv2.ellipse(mask, (60, 48), (45, 25), 0, 0, 360, 255, -1)
    mask[:, 55:62] = 0


def _far(mask: np.ndarray) -> None:
    mask[5:15, 5:15] = 255
    mask[80:92, 100:112] = 255


def _specks(mask: np.ndarray) -> None:
    cv2.ellipse(mask, (60, 48), (30, 20), 0, 0, 360, 255, -1)
    for x, y in ((3, 3), (110, 5), (5, 90)):
        mask[y, x] = 255


def _thin(mask: np.ndarray) -> None:
    cv2.ellipse(mask, (60, 60), (30, 15), 0, 0, 360, 255, -1)
    cv2.line(mask, (60, 60), (100, 2), 255, 1)
    cv2.line(mask, (0, 10), (119, 70), 255, 1)


def _island(mask: np.ndarray) -> None:
    _ring(mask)
    cv2.circle(mask, (60, 48), 8, 255, -1)
    cv2.circle(mask, (60, 48), 3, 0, -1)


def _diagonal(mask: np.ndarray) -> None:
    mask[10:30, 10:30] = 255
    mask[30:50, 30:50] = 255


def _frame(mask: np.ndarray) -> None:
    mask[:] = 255
    mask[1:-1, 1:-1] = 0


def _comb(mask: np.ndarray) -> None:
    mask[:, ::3] = 255
    mask[40] = 255
