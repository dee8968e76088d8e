"""Is this image the one that PyTorch made? Figures and gates, on uint8 images.

Every figure is taken over the whole image and again inside the silhouette grown by 4 pixels, and
the worse one counts: in a composite most of the picture is copied background, which would hide a
broken object behind a good average.
"""

import math
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.ssim import ssim_maps

GROW = 4
"""Pixels by which the silhouette is grown, to take its edge and its contact shadow in."""
IDENTICAL_PSNR = 200.0
"""PSNR in dB of identical images, finite so that it can be stored as JSON. One level in one value
of a thousand 256×256 images gives 131 dB."""


class RegionFigures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Differences in levels (0 to 255), PSNR in dB and SSIM, over one region of all images."""

    max_difference: float
    mean_difference: float
    psnr: float
    psnr_worst: float
    """PSNR of the worst single image."""
    worst_image: int
    """Index of that image."""
    ssim: float | None = None
    """Mean over the images; None where it was not asked for."""


class ParityFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What `compare` measured. `invalid` is the reason why nothing could be measured; the figures
    are then the worst possible."""

    images: int
    whole: RegionFigures
    silhouette: RegionFigures
    invalid: str = ""

    @property
    def max_difference(self) -> float:
        return max(self.whole.max_difference, self.silhouette.max_difference)

    @property
    def mean_difference(self) -> float:
        return max(self.whole.mean_difference, self.silhouette.mean_difference)

    @property
    def psnr(self) -> float:
        return min(self.whole.psnr, self.silhouette.psnr)

    @property
    def psnr_worst(self) -> float:
        return min(self.whole.psnr_worst, self.silhouette.psnr_worst)

    @property
    def ssim(self) -> float | None:
        if self.whole.ssim is None or self.silhouette.ssim is None:
            return None
        return min(self.whole.ssim, self.silhouette.ssim)

    def record(self) -> dict[str, Any]:
        """For JSON: the figures that count, then those of both regions."""
        counted = {
            "max_difference": self.max_difference,
            "mean_difference": self.mean_difference,
            "psnr": self.psnr,
            "psnr_worst": self.psnr_worst,
            **({} if self.ssim is None else {"ssim": self.ssim}),
        }
        return {**counted, **msgspec.to_builtins(self)}


class Bound(msgspec.Struct, frozen=True):
    """One figure and the limit it must keep."""

    figure: str
    limit: float
    at_most: bool

    def holds(self, value: float | None) -> bool:
        """False also when the figure was not measured."""
        if value is None:
            return False
        return value <= self.limit if self.at_most else value >= self.limit

    def missed(self, figures: ParityFigures) -> str | None:
        """What was missed, with value and bound, or None."""
        value = getattr(figures, self.figure)
        if self.holds(value):
            return None
        if value is None:
            return f"{self.figure} was not measured"
        relation = "at most" if self.at_most else "at least"
        return f"{self.figure} {value:.4g}, must be {relation} {self.limit:g}"


class Gate(msgspec.Struct, frozen=True):
    """The bounds that one precision must keep (design, section 4)."""

    precision: str
    bounds: tuple[Bound, ...]

    @property
    def needs_ssim(self) -> bool:
        """Whether `compare` must be told to measure SSIM, which takes longer than all the rest."""
        return any(bound.figure == "ssim" for bound in self.bounds)

    def missed(self, figures: ParityFigures) -> list[str]:
        """One line for each figure missed; empty when the gate is passed."""
        if figures.invalid:
            return [figures.invalid]
        return [line for bound in self.bounds if (line := bound.missed(figures)) is not None]


GATES: dict[str, Gate] = {
    "fp32": Gate(
        "fp32", (Bound("max_difference", 1.0, True), Bound("mean_difference", 0.01, True))
    ),
    "fp16": Gate("fp16", (Bound("psnr", 40.0, False), Bound("psnr_worst", 35.0, False))),
    "int8": Gate("int8", (Bound("psnr", 30.0, False), Bound("ssim", 0.95, False))),
}
"""The gate of each precision, by its name in a bundle."""


def compare(
    images: npt.NDArray[np.generic],
    reference: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.uint8],
    *,
    ssim: bool = False,
) -> ParityFigures:
    """Compare `images` with `reference`, both uint8 [N, H, W, 3].

    `masks` is uint8 [N, H, W], where values above 127 are the silhouette. `ssim` measures SSIM too
    (`Gate.needs_ssim`). An output of another dtype or shape, or one that holds NaN or infinity, is
    not measured: see `ParityFigures.invalid`. Raises ValueError when `reference` and `masks` do not
    fit each other.
    """
    if reference.dtype != np.uint8 or reference.shape != (*masks.shape, 3) or not len(masks):
        raise ValueError(
            f"reference {reference.dtype}{reference.shape} does not fit masks {masks.shape}"
        )
    invalid = _why_invalid(images, reference)
    if invalid:
        return unmeasured(len(masks), invalid)
    # [N, H*W, 3]; int16 holds every difference of two uint8.
    difference = np.abs(images.astype(np.int16) - reference.astype(np.int16))
    difference = difference.reshape(len(masks), -1, 3)
    everywhere = np.ones(difference.shape[:2], dtype=bool)
    inside = grow(masks > 127, GROW).reshape(len(masks), -1)
    similarity = None
    if ssim:
        similarity = ssim_maps(images.astype(np.uint8, copy=False), reference)
        similarity = similarity.reshape(len(masks), -1)
    return ParityFigures(
        images=len(masks),
        whole=_figures(difference, everywhere, similarity),
        silhouette=_figures(difference, inside, similarity),
    )


def unmeasured(images: int, reason: str) -> ParityFigures:
    """The worst figures, for `images` images that could not be measured."""
    worst = RegionFigures(
        max_difference=255.0,
        mean_difference=255.0,
        psnr=0.0,
        psnr_worst=0.0,
        worst_image=0,
        ssim=0.0,
    )
    return ParityFigures(images=images, whole=worst, silhouette=worst, invalid=reason)


def grow(silhouettes: npt.NDArray[np.bool_], pixels: int) -> npt.NDArray[np.bool_]:
    """Silhouettes, bool [N, H, W], grown by `pixels` in x and y (a square brush)."""
    brush = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.stack([cv2.dilate(s.astype(np.uint8), brush) > 0 for s in silhouettes])


def _why_invalid(images: npt.NDArray[np.generic], reference: npt.NDArray[np.uint8]) -> str:
    if np.issubdtype(images.dtype, np.floating) and not np.isfinite(images).all():
        return "the output holds NaN or infinity"
    if images.dtype != np.uint8:
        return f"the output is {images.dtype}, must be uint8"
    if images.shape != reference.shape:
        return f"the output has shape {images.shape}, must be {reference.shape}"
    return ""


def _figures(
    difference: npt.NDArray[np.int16],
    region: npt.NDArray[np.bool_],
    similarity: npt.NDArray[np.float64] | None,
) -> RegionFigures:
    """Figures over `region` [N, P] of `difference` [N, P, 3] and `similarity` [N, P].

    An empty region differs nowhere.
    """
    inside = np.where(region[..., None], difference, 0)
    values = region.sum(axis=1) * 3
    squares = (inside.astype(np.int64) ** 2).sum(axis=(1, 2))
    psnrs = [_psnr(int(s), int(v)) for s, v in zip(squares, values, strict=True)]
    total = int(values.sum())
    return RegionFigures(
        max_difference=float(inside.max()),
        mean_difference=float(inside.sum(dtype=np.int64)) / max(total, 1),
        psnr=_psnr(int(squares.sum()), total),
        psnr_worst=min(psnrs),
        worst_image=int(np.argmin(psnrs)),
        ssim=None if similarity is None else _mean_ssim(similarity, region),
    )


def _mean_ssim(similarity: npt.NDArray[np.float64], region: npt.NDArray[np.bool_]) -> float:
    """Mean over the images of each one's mean in `region`; images without one do not count."""
    means = [float(s[r].mean()) for s, r in zip(similarity, region, strict=True) if r.any()]
    return float(np.mean(means)) if means else 1.0


def _psnr(squares: int, values: int) -> float:
    if squares == 0:
        return IDENTICAL_PSNR
    return 10 * math.log10(255**2 * values / squares)
