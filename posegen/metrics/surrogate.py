"""Features without downloaded weights: an untrained network that is the same on every machine.

Its filters are random, so it knows edges, colours and their layout, and nothing of objects. Its
figures rank broken, blurred and good images, and compare with nothing published.
"""

from itertools import pairwise

import numpy as np

from posegen.data.prepared import Pixels
from posegen.metrics.features import Features

SIZE = 64
CHANNELS = (3, 32, 64, 128)
_KERNEL = 3


class Untrained:
    """Three strided convolutions with filters drawn from one seed. Its features are the mean and
    the standard deviation of every channel after each, [N, 448]."""

    name = "untrained"
    genuine = False

    def __init__(self) -> None:
        import torch

        generator = np.random.default_rng(0)
        self._filters = []
        for given, made in pairwise(CHANNELS):
            drawn = generator.standard_normal((made, given, _KERNEL, _KERNEL))
            drawn *= np.sqrt(2 / (given * _KERNEL**2))  # keeps the variance through a ReLU
            self._filters.append(torch.from_numpy(drawn.astype(np.float32)))

    def features(self, images: Pixels) -> Features:
        import torch
        from torch.nn import functional

        x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float()
        x = functional.interpolate(x, (SIZE, SIZE), mode="bilinear", antialias=True) / 127.5 - 1
        pooled = []
        for filters in self._filters:
            x = functional.conv2d(x, filters, stride=2, padding=1)
            pooled += [x.mean((2, 3)), x.std((2, 3))]
            x = functional.relu(x)
        return Features(torch.cat(pooled, dim=1).numpy(), None)
