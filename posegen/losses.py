"""Losses of the paper, and feature matching. Logits are given for each scale that the discriminator
judges at and weigh the same whatever their number; images are [N, 3, H, W] in [-1, 1], masks p are
[N, 1, H, W] in {0, 1}. Every function returns a scalar tensor.

The squared norms of Eq. 6 and 7 are divided by the number of values that they sum over, so that
λ_R means the same at every image size: 3 (H W - area) a sample for Eq. 6, 3 area for Eq. 7. The
object covers a small share of the image; without the division Eq. 7 would weigh next to nothing.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def hinge_discriminator(real_logits: Sequence[Tensor], fake_logits: Sequence[Tensor]) -> Tensor:
    """L_D of Eq. 4: E max(0, 1 - D(o)) + E max(0, 1 + D(G(z)))."""
    return torch.stack(
        [
            F.relu(1 - real).mean() + F.relu(1 + fake).mean()
            for real, fake in zip(real_logits, fake_logits, strict=True)
        ]
    ).mean()


def hinge_generator(fake_logits: Sequence[Tensor]) -> Tensor:
    """L_G of Eq. 3: -E D(G(z))."""
    return -torch.stack([fake.mean() for fake in fake_logits]).mean()


def feature_matching(
    fake_features: Sequence[Tensor], real_features: Sequence[Tensor], mask: Tensor
) -> Tensor:
    """Mean absolute difference between the discriminator's features [N, C, h, w] of the generated
    image and of the photo, where the silhouette is; every layer weighs the same.

    Unlike Eq. 7 it does not prefer the mean of all details that are possible, so it does not blur.
    """
    layers = []
    for fake, real in zip(fake_features, real_features, strict=True):
        covered = F.adaptive_avg_pool2d(mask, (fake.shape[2], fake.shape[3]))
        difference = ((fake - real).abs() * covered).sum(dim=(1, 2, 3))
        count = fake.shape[1] * covered.sum(dim=(1, 2, 3))
        layers.append((difference / count.clamp(min=1)).mean())
    return torch.stack(layers).mean()


def background_reconstruction(fake: Tensor, background: Tensor, mask: Tensor) -> Tensor:
    """L_R of Eq. 6: ||b ⊙ (1 - p) - o_fake ⊙ (1 - p)||², per value outside the silhouette."""
    return _masked_mean_square(fake - background, 1 - mask)


def object_reconstruction(fake: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """L_R of Eq. 7: ||o ⊙ p - G(z) ⊙ p||², per value inside the silhouette."""
    return _masked_mean_square(fake - target, mask)


def image_reconstruction(fake: Tensor, target: Tensor) -> Tensor:
    """The autoencoder's loss (section 5.3.1): ||o - G(z)||², per value of the whole image."""
    return F.mse_loss(fake, target)


def _masked_mean_square(difference: Tensor, weight: Tensor) -> Tensor:
    """Mean over samples of the mean square where `weight` is 1; 0 for a sample without any."""
    per_sample = (difference * weight).square().sum(dim=(1, 2, 3))
    count = difference.shape[1] * weight.sum(dim=(1, 2, 3))
    return (per_sample / count.clamp(min=1)).mean()
