"""Batches on their way from uint8 arrays into the models."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from posegen.config import ModelConfig, Variant
from posegen.data.prepared import Pixels
from posegen.data.samplers import Batch


@dataclass(frozen=True)
class Tensors:
    """A `Batch` as float32 tensors: images [N, 3, S, S] in [-1, 1], masks [N, 1, S, S] in {0, 1}.

    `viewpoint`: float32 [N, 3], zeros where it is unknown. What the model does not use is None. For
    the autoencoder the appearance is the photo itself.
    """

    photo: Tensor
    photo_mask: Tensor | None
    photo_background: Tensor | None
    mask: Tensor | None
    appearance: Tensor | None
    background: Tensor | None
    viewpoint: Tensor | None
    paired: bool
    exact_mask: Tensor | None = None
    """`mask` before it was roughened; None where it was not."""
    exact_photo_mask: Tensor | None = None
    """`photo_mask` before it was roughened; None where it was not."""

    @property
    def covered(self) -> Tensor | None:
        """Where Eq. 6 does not count: the mask, rough or exact. [N, 1, S, S] in {0, 1}."""
        return _union(self.mask, self.exact_mask)

    @property
    def certain(self) -> Tensor | None:
        """Where Eq. 7 counts: the mask, rough and exact. [N, 1, S, S] in {0, 1}."""
        if self.mask is None or self.exact_mask is None:
            return self.mask
        return self.mask * self.exact_mask

    @property
    def photo_covered(self) -> Tensor | None:
        """`covered` of the photo: all of its object. [N, 1, S, S] in {0, 1}."""
        return _union(self.photo_mask, self.exact_photo_mask)

    @property
    def conditions(self) -> dict[str, Tensor | None]:
        """Keyword arguments of the generator."""
        return {
            "mask": self.mask,
            "appearance": self.appearance,
            "background": self.background,
            "viewpoint": self.viewpoint,
        }


def _union(mask: Tensor | None, exact: Tensor | None) -> Tensor | None:
    return mask if mask is None or exact is None else torch.maximum(mask, exact)


def to_tensors(batch: Batch, config: ModelConfig, device: torch.device) -> Tensors:
    """Move a batch to `device` as uint8, then convert it there."""
    variant = config.variant

    def image(pixels: Pixels) -> Tensor:
        moved = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
        # The arrays are channels-last already, which convolutions prefer: a sixth of the time.
        return moved.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)

    def silhouette(pixels: Pixels | None) -> Tensor | None:
        if pixels is None or not variant.uses_mask:
            return None
        moved = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
        return (moved > 127).float().unsqueeze(3).permute(0, 3, 1, 2)

    photo = image(batch.photo)
    own = variant is Variant.AUTOENCODER
    return Tensors(
        photo=photo,
        photo_mask=silhouette(batch.photo_mask),
        photo_background=image(batch.photo_background) if variant.uses_background else None,
        mask=silhouette(batch.mask),
        appearance=photo if own else image(batch.appearance) if variant.uses_appearance else None,
        background=image(batch.background) if variant.uses_background else None,
        viewpoint=torch.from_numpy(batch.viewpoint).to(device) if config.viewpoint else None,
        paired=batch.paired,
        exact_mask=silhouette(batch.exact_mask),
        exact_photo_mask=silhouette(batch.exact_photo_mask),
    )
