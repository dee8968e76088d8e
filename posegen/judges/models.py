"""The judges' networks: a U-Net for silhouettes, a convolutional regressor for headings.

Batch norm before every activation, so that short trainings end well; exported, it is folded away.
"""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from posegen.judges.config import JudgeKind
from posegen_runtime.errors import PoseGenError

BINS = 16
"""Classes of azimuth: where front and rear look alike, a class is right more often than a mean."""
_NEAR = 2
_WIDTHS = {"segmenter": (16, 32, 48, 72), "heading": (24, 40, 56, 64)}
WINDOW = 96
"""Side in pixels of what a regressor looks at."""
_REACH = 2.0
_NARROW = 16
_HIDDEN = 80
SIZES = (32, 512)
_STRIDE = 16


def build_judge(kind: JudgeKind, image_size: int) -> "Judge":
    """A judge with fresh weights. Raises `PoseGenError` for a size that it cannot halve."""
    if not SIZES[0] <= image_size <= SIZES[1] or image_size % _STRIDE:
        raise PoseGenError(
            f"--image-size {image_size}: judges take multiples of {_STRIDE} from {SIZES[0]} to "
            f"{SIZES[1]}"
        )
    if kind is JudgeKind.OUTLINE:
        return Outline()
    segmenter = Segmenter()
    return segmenter if kind is JudgeKind.SEGMENTER else Heading(segmenter)


def _conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class _Encoder(nn.Module):
    """[N, C, S, S] → features of `widths` at strides `fold`, 2 `fold`, 4 `fold` and so on.

    `fold` × `fold` pixels become channels: the first level sees every pixel at a fraction of the
    cost.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], fold: int) -> None:
        super().__init__()
        self.fold = fold
        ins = (fold**2 * channels, *widths)
        self.levels = nn.ModuleList(
            nn.Sequential(_conv(ins[i], width, 1 if i == 0 else 2), _conv(width, width))
            for i, width in enumerate(widths)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.pixel_unshuffle(x, self.fold)
        features = []
        for level in self.levels:
            x = level(x)
            features.append(x)
        return features


class Segmenter(nn.Module):
    """Images [N, 3, S, S] in [-1, 1] → logits [N, 1, S, S] of the object; S divisible by 16."""

    def __init__(self) -> None:
        super().__init__()
        widths = _WIDTHS["segmenter"]
        self.encoder = _Encoder(3, widths, fold=2)
        finer = list(itertools.pairwise(widths))[::-1]
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in finer)
        self.merge = nn.ModuleList(_conv(2 * fine, fine) for fine, _ in finer)
        self.head = nn.Conv2d(widths[0], 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        *skips, x = self.encoder(image)
        for narrow, merge, skip in zip(self.narrow, self.merge, skips[::-1], strict=True):
            x = F.interpolate(narrow(x), scale_factor=2.0, mode="nearest")
            x = merge(torch.cat([x, skip], 1))
        return F.pixel_shuffle(self.head(x), 2)


class Regressor(nn.Module):
    """An object and its silhouette → where the object heads.

    It looks through a window that follows the silhouette's centre and spread, at the object alone:
    with the whole picture as input, thousands of steps pass before anything is learnt.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = _WIDTHS["heading"]
        self.encoder = _Encoder(channels + 1, widths, fold=4)
        self.narrow = nn.Conv2d(widths[-1], _NARROW, 1)
        cells = (WINDOW // 2 ** (len(widths) + 1)) ** 2
        self.hidden = nn.Linear(_NARROW * cells + widths[-1], _HIDDEN)
        self.bins = nn.Linear(_HIDDEN, BINS)

    def forward(self, mask: Tensor, image: Tensor | None = None) -> Tensor:
        """mask [N, 1, S, S] in [0, 1] and image [N, 3, S, S] in [-1, 1] → logits [N, BINS] of the
        azimuth's bin; bin k is centred on k · 360° / BINS."""
        seen = mask if image is None else torch.cat([mask, image * mask], 1)
        x = self.encoder(F.grid_sample(seen, _window(mask), align_corners=False))[-1]
        x = torch.cat([self.narrow(x).flatten(1), x.mean((2, 3))], 1)
        return self.bins(F.relu(self.hidden(x)))


class Heading(nn.Module):
    """Images [N, 3, S, S] in [-1, 1] → unit vectors (cos, sin) [N, 2] of the azimuth.

    `segmenter` finds the object, `regressor` looks at it. The two are trained apart.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__()
        self.segmenter = segmenter
        self.regressor = Regressor(3)

    def forward(self, image: Tensor) -> Tensor:
        return direction(self.regressor(self.segmenter(image).sigmoid(), image))


class Outline(nn.Module):
    """Silhouettes [N, 1, S, S] in {0, 1} → unit vectors (cos, sin) [N, 2] of the azimuth."""

    def __init__(self) -> None:
        super().__init__()
        self.regressor = Regressor(0)

    def forward(self, mask: Tensor) -> Tensor:
        return direction(self.regressor(mask))


Judge = Segmenter | Heading | Outline


def judge_input(judge: Judge, image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> Tensor:
    """What `judge` sees of uint8 images [N, S, S, 3] and silhouettes [N, S, S]."""
    return silhouettes(mask) if isinstance(judge, Outline) else pictures(image)


def pictures(image: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, S, S, 3] → float32 [N, 3, S, S] in [-1, 1]."""
    return torch.tensor(image).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def silhouettes(mask: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, S, S] in {0, 255} → float32 [N, 1, S, S] in {0, 1}."""
    return torch.tensor(mask > 127).float()[:, None]


def direction(bins: Tensor) -> Tensor:
    """Logits [N, BINS] → unit vectors (cos, sin) [N, 2]: the mean direction of the likeliest bin
    and of `_NEAR` on each side. A mean over all would lie between front and rear when in doubt."""
    number = torch.arange(BINS, device=bins.device)
    angle = number * (2 * math.pi / BINS)
    vectors = torch.stack([angle.cos(), angle.sin()], 1)
    steps = (number[:, None] - number[None]).abs()
    near = (torch.minimum(steps, BINS - steps) <= _NEAR).to(vectors.dtype)
    likeliest = (bins.argmax(1, keepdim=True) == number).to(vectors.dtype)
    return F.normalize((bins.float().softmax(1) * (likeliest @ near)) @ vectors)


def _window(mask: Tensor) -> Tensor:
    """Where to look, [N, WINDOW, WINDOW, 2] in grid_sample's coordinates: a square around the
    centre of `mask` [N, 1, S, S], `_REACH` times its spread to each side."""
    size = mask.shape[-1]
    line = (torch.arange(size, device=mask.device) + 0.5) * (2 / size) - 1
    weight = mask.float()[:, 0]
    total = weight.sum((1, 2)) + 1e-3
    columns, rows = weight.sum(1), weight.sum(2)
    x, y = (columns * line).sum(1) / total, (rows * line).sum(1) / total
    across = (columns * (line - x[:, None]) ** 2).sum(1)
    down = (rows * (line - y[:, None]) ** 2).sum(1)
    reach = _REACH * ((across + down) / total + 1e-4).sqrt()
    steps = (torch.arange(WINDOW, device=mask.device) + 0.5) * (2 / WINDOW) - 1
    columns = x[:, None] + reach[:, None] * steps
    rows = y[:, None] + reach[:, None] * steps
    shape = (-1, WINDOW, WINDOW)
    return torch.stack([columns[:, None].expand(shape), rows[:, :, None].expand(shape)], 3)
