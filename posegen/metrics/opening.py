"""Which networks describe images: Inception where its weights are, a surrogate on demand."""

from pathlib import Path

from posegen.metrics.features import Extractor
from posegen.metrics.inception import Inception, find_weights, unavailable
from posegen.metrics.surrogate import Untrained


def open_extractors(
    weights: Path | None, surrogate: bool, device: str = "auto"
) -> tuple[tuple[Extractor, ...], str]:
    """The extractors, and one line about what cannot be measured ("": nothing is missing).

    Raises `PoseGenError` for weights that were named and are missing, and for any that are not
    Inception's.
    """
    file = find_weights(weights)
    extractors: list[Extractor] = [] if file is None else [Inception(file, device)]
    if surrogate:
        extractors.append(Untrained())
    return tuple(extractors), unavailable() if file is None else ""
