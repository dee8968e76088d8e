"""One pass over images gives the features that all metrics are taken from."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Of N images in order: `pool` [N, D]; `logits` [N, C] where the extractor classifies."""

    pool: Floats
    logits: Floats | None

    def __len__(self) -> int:
        return len(self.pool)


class Extractor(Protocol):
    """A network that describes images. `genuine`: with it the figures may bear the names FID, KID,
    IS and I_sim; otherwise they are those of a surrogate, and bear `name`."""

    @property
    def name(self) -> str: ...

    @property
    def genuine(self) -> bool: ...

    def features(self, images: Pixels) -> Features:
        """Images uint8 RGB [N, H, W, 3], of any size."""
        ...


def joined(pieces: list[Features]) -> Features:
    """At least one piece."""
    logits = [piece.logits for piece in pieces if piece.logits is not None]
    return Features(
        np.concatenate([piece.pool for piece in pieces]), np.concatenate(logits) if logits else None
    )
