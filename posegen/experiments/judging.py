"""What looks at the images of every row: one segmenter, and the networks whose features count."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from posegen.data.dataset import Dataset
from posegen.evaluation.judges import Judges, MaskJudge, open_judges
from posegen.evaluation.own_segmenter import knows, own_segmenter
from posegen.evaluation.samples import Samples
from posegen.experiments.options import TablesOptions
from posegen.metrics.features import Extractor
from posegen.metrics.opening import open_extractors
from posegen.metrics.segmenter import SHIPPED
from posegen_runtime.judges import shipped_judges


@dataclass(frozen=True)
class Eyes:
    """`segmenter_name` says which one it is, `identity` whether it is the same as before; `notice`
    what cannot be measured ("": nothing)."""

    judges: Judges
    segmenter_name: str
    identity: str
    extractors: tuple[Extractor, ...]
    notice: str

    @property
    def segmenter(self) -> MaskJudge | None:
        return self.judges.segmenter


def open_eyes(options: TablesOptions, dataset: Dataset, validation: Samples) -> Eyes:
    """Raises `PoseGenError` for weights and judges that cannot be used."""
    extractors, notice = open_extractors(options.weights, False, options.device)
    if options.surrogate or (options.surrogate is None and not extractors):
        surrogates, _ = open_extractors(options.weights, True, options.device)
        extractors += surrogates[len(extractors) :]
    segmenter, name, identity = _segmenter(options, dataset, validation)
    # Headings are for `posegen.judges` alone to see, whatever finds the silhouettes.
    judges = replace(open_judges(options.segmenter.judges), segmenter=segmenter)
    return Eyes(judges, name, identity, extractors, notice)


def _segmenter(
    options: TablesOptions, dataset: Dataset, validation: Samples
) -> tuple[MaskJudge | None, str, str]:
    """With its name and what it is known by. Raises `PoseGenError` for what cannot be used."""
    choice = options.segmenter
    segmenter = choice.open(options.device)
    if segmenter is None:
        return None, "none", ""
    if choice.coco_class is not None:
        # Which weights is checked by their hash: torchvision's, or the one that was given.
        return (
            segmenter,
            f"Mask R-CNN, class {choice.coco_class}",
            f"{choice.coco_class} {choice.sha256}",
        )
    if choice == SHIPPED and not knows(segmenter, validation):
        own = own_segmenter(dataset)
        if own is not None:
            return own, "trained on the data set's own photos", own.sha256
    folder = choice.judges or shipped_judges()
    name = "the one that ships" if choice.judges is None else folder.name
    return segmenter, name, _hash(folder)


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()
