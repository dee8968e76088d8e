"""What the judges are trained on."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from posegen.judges.models import BINS


def segmenter_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy plus the soft Dice loss of each picture; both [N, 1, S, S], mask in {0, 1}."""
    probability = logits.sigmoid()
    shared = (probability * mask).sum((1, 2, 3))
    total = probability.sum((1, 2, 3)) + mask.sum((1, 2, 3))
    dice = 1 - (2 * shared + 1) / (total + 1)
    return F.binary_cross_entropy_with_logits(logits, mask) + dice.mean()


def heading_loss(bins: Tensor, azimuth: Tensor) -> Tensor:
    """Cross-entropy of logits [N, BINS] against `azimuth` [N] in radians, shared between the two
    nearest bins so that their mean direction is the azimuth."""
    position = torch.remainder(azimuth / (2 * math.pi) * BINS, BINS)
    lower = position.floor()
    share = (position - lower)[:, None]
    low = F.one_hot(lower.long() % BINS, BINS)
    high = F.one_hot((lower.long() + 1) % BINS, BINS)
    return F.cross_entropy(bins, (1 - share) * low + share * high)
