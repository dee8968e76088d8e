import cv2
import numpy as np

from posegen.metrics.distances import frechet, kernel
from posegen.metrics.surrogate import Untrained


def test_it_ranks_noise_below_blur_below_other_photos() -> None:
    generator = np.random.default_rng(0)
    tiles = generator.integers(0, 256, (90, 9, 9, 3), dtype=np.uint8)
    photos = np.repeat(np.repeat(tiles, 8, 1), 8, 2)
    real, others = photos[:30], photos[30:60]
    blurred = np.stack([cv2.GaussianBlur(photo, (0, 0), 3) for photo in photos[60:]])
    noise = generator.integers(0, 256, real.shape, dtype=np.uint8)

    pools = [Untrained().features(images).pool for images in (real, others, blurred, noise)]
    assert pools[0].shape == (30, 448)
    far = [frechet(pools[0], pool) for pool in pools[1:]]
    assert far == sorted(far)
    near = [float(kernel(pools[0], pool)[0]) for pool in pools[1:]]
    assert near == sorted(near)
    np.testing.assert_array_equal(pools[0], Untrained().features(real).pool)
    assert Untrained().features(real).logits is None
