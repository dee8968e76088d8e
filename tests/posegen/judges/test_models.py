"""What the judges' networks can and cannot see."""

import math

import numpy as np
import pytest
import torch

from posegen.judges.config import JudgeKind
from posegen.judges.losses import heading_loss, segmenter_loss
from posegen.judges.models import BINS, Regressor, build_judge, direction
from posegen_runtime.errors import PoseGenError


@pytest.mark.parametrize("kind", list(JudgeKind))
def test_a_judge_is_small(kind: JudgeKind) -> None:
    judge = build_judge(kind, 128)
    assert 1e5 < sum(p.numel() for p in judge.parameters()) < 4e5


@pytest.mark.parametrize("size", [31, 40, 1024])
def test_a_size_that_cannot_be_halved_is_refused(size: int) -> None:
    with pytest.raises(PoseGenError, match="multiples of 16"):
        build_judge(JudgeKind.SEGMENTER, size)


def test_a_regressor_follows_the_object_through_the_frame() -> None:
    """Shifted and scaled by two, the object fills the same window."""
    torch.manual_seed(0)
    regressor = Regressor(3).eval()
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 8), size=32, mode="bilinear")
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 10:22] = 1

    def said(scale: int, down: int, right: int) -> torch.Tensor:
        frame, where = torch.zeros(1, 3, 128, 128), torch.zeros(1, 1, 128, 128)
        block = slice(down, down + 32 * scale), slice(right, right + 32 * scale)
        for target, source in ((frame, picture), (where, mask)):
            target[:, :, block[0], block[1]] = torch.nn.functional.interpolate(
                source, scale_factor=scale, mode="nearest"
            )
        return regressor(where, frame)

    with torch.no_grad():
        here, there, larger = said(2, 10, 10), said(2, 50, 60), said(3, 10, 30)
    torch.testing.assert_close(here, there, atol=1e-4, rtol=1e-4)
    spread = float(here.std())
    assert float((here - larger).abs().max()) < 0.3 * spread


def test_an_empty_silhouette_gives_finite_bins() -> None:
    bins = Regressor(0).eval()(torch.zeros(2, 1, 32, 32))
    assert torch.isfinite(bins).all()


@pytest.mark.parametrize("degrees", [0.0, 40.0, 170.0, -179.0, -91.0])
def test_the_direction_of_a_learnt_azimuth_is_the_azimuth(degrees: float) -> None:
    """Logits that minimise the loss for an azimuth are read as that azimuth."""
    azimuth = torch.tensor([math.radians(degrees)])
    bins = torch.zeros(1, BINS, requires_grad=True)
    optimizer = torch.optim.Adam([bins], 0.3)
    for _ in range(300):
        optimizer.zero_grad()
        heading_loss(bins, azimuth).backward()
        optimizer.step()
    cos, sin = direction(bins.detach())[0].tolist()
    error = math.remainder(math.atan2(sin, cos) - float(azimuth), 2 * math.pi)
    assert abs(math.degrees(error)) < 1.5


def test_doubt_between_front_and_rear_is_not_read_as_the_side() -> None:
    bins = torch.full((1, BINS), -9.0)
    bins[0, 0], bins[0, BINS // 2] = 2.0, 1.9
    assert direction(bins)[0].tolist() == pytest.approx([1, 0], abs=1e-3)


def test_the_segmenter_loss_is_least_at_the_truth() -> None:
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    losses = [
        float(segmenter_loss((guess * 2 - 1) * 8, mask))
        for guess in (mask, torch.roll(mask, 2, -1), 1 - mask, torch.zeros_like(mask))
    ]
    assert np.argmin(losses) == 0
    assert losses[0] < 0.02
