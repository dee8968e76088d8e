"""What metrics need of images, in one pass over them, batch by batch."""

from collections.abc import Iterable

import numpy as np

from posegen.evaluation.judges import MaskJudge
from posegen.evaluation.pose import iou, resized_masks
from posegen.metrics.features import Extractor, Features, joined
from posegen.metrics.progress import Batch
from posegen.metrics.rows import Seen
from posegen.metrics.values import Values


def look(
    batches: Iterable[Batch],
    extractors: tuple[Extractor, ...],
    segmenter: MaskJudge | None = None,
) -> Seen:
    """`batches` of images uint8 [N, S, S, 3] with the masks asked for, uint8 [N, S, S] in {0, 255};
    None: none was. IoU needs both masks and a `segmenter`; it is 0 where no object is found."""
    features: dict[str, list[Features]] = {extractor.name: [] for extractor in extractors}
    overlaps: list[Values] = []
    for images, masks in batches:
        for extractor in extractors:
            features[extractor.name].append(extractor.features(images))
        if masks is not None and segmenter is not None:
            found = segmenter.masks(images) > 127
            overlaps.append(iou(found, resized_masks(masks, found.shape[1])))
    return Seen(
        {name: joined(pieces) for name, pieces in features.items()},
        np.concatenate(overlaps) if overlaps else None,
    )
