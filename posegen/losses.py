"""Losses of the paper. Logits may have any shape; images are [N, 3, H, W] in [-1, 1], masks p are
[N, 1, H, W] in {0, 1}. Every function returns a scalar tensor.

The squared norms of Eq. 6 and 7 are divided by the number of values that they sum over, so that
λ_R means the same at every image size: 3 (H W - area) a sample for Eq. 6, 3 area for Eq. 7. The
object covers a small share of the image; without the division Eq. 7 would weigh next to nothing.
"""

import torch.nn.functional as F
from torch import Tensor


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """L_D of Eq. 4: E max(0, 1 - D(o)) + E max(0, 1 + D(G(z)))."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def hinge_generator(fake_logits: Tensor) -> Tensor:
    """L_G of Eq. 3: -E D(G(z))."""
    return -fake_logits.mean()


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
