"""What looks at the images of every row: one segmenter, and the networks whose features count."""

from dataclasses import dataclass

from posegen.data.dataset import Dataset
from posegen.evaluation.judges import MaskJudge
from posegen.evaluation.own_segmenter import knows, own_segmenter
from posegen.evaluation.samples import Samples
from posegen.experiments.options import TablesOptions
from posegen.metrics.features import Extractor
from posegen.metrics.opening import open_extractors
from posegen.metrics.segmenter import SHIPPED


@dataclass(frozen=True)
class Eyes:
    """`segmenter_name` says which one it is; `notice` what cannot be measured ("": nothing)."""

    segmenter: MaskJudge | None
    segmenter_name: str
    extractors: tuple[Extractor, ...]
    notice: str


def open_eyes(options: TablesOptions, dataset: Dataset, validation: Samples) -> Eyes:
    """Raises `PoseGenError` for weights and judges that cannot be used."""
    extractors, notice = open_extractors(options.weights, False, options.device)
    if options.surrogate or (options.surrogate is None and not extractors):
        surrogates, _ = open_extractors(options.weights, True, options.device)
        extractors += surrogates[len(extractors) :]
    choice = options.segmenter
    segmenter = choice.open(options.device)
    name = f"Mask R-CNN, class {choice.coco_class}" if choice.coco_class else f"{choice.judges}"
    if choice == SHIPPED:
        name = "the one that ships"
        if segmenter is not None and not knows(segmenter, validation):
            own = own_segmenter(dataset)
            segmenter = own or segmenter
            name = "trained on the data set's own photos" if own else name
    return Eyes(segmenter, "none" if segmenter is None else name, extractors, notice)
