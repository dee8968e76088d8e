"""`posegen metrics images`: folders of real and generated images, and oracle 2 beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posegen.data.prepared import Pixels
from posegen.evaluation.report import claim_file
from posegen.metrics.baselines import random_rows
from posegen.metrics.distances import KID_SUBSET_SIZE
from posegen.metrics.looking import look
from posegen.metrics.opening import open_extractors
from posegen.metrics.progress import Batch, shown
from posegen.metrics.rows import Scorer
from posegen.metrics.rows_table import RowTable
from posegen.metrics.segmenter import SHIPPED, SegmenterChoice
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb
from posegen_runtime.judges import resized
from posegen_runtime.maskfile import read_mask_file
from posegen_runtime.masks import MaskChannel
from posegen_runtime.paths import image_names

MASK_SIZE = 512
"""Silhouettes are compared at a segmenter's own size, which is smaller."""


@dataclass(frozen=True)
class FolderOptions:
    """Images of one name (without its ending) in `real`, `generated` and `masks` belong together.
    Oracle 2 draws from `train`."""

    real: Path
    generated: Path
    train: Path
    masks: Path | None = None
    segmenter: SegmenterChoice = SHIPPED
    weights: Path | None = None
    surrogate: bool = False
    subset_size: int = KID_SUBSET_SIZE
    csv: Path | None = None
    json: Path | None = None
    batch_size: int = 16
    seed: int = 0
    device: str = "auto"


def run_folders(options: FolderOptions) -> None:
    """Measure, print, write. Raises `PoseGenError` for unusable input."""
    if options.masks is None and options.segmenter != SHIPPED:
        raise PoseGenError("--judges, --segment: find masks for IoU, which needs --masks too")
    extractors, notice = open_extractors(options.weights, options.surrogate, options.device)
    for file in (options.csv, options.json):
        if file is not None:
            claim_file(file)
    real, made, train = (
        Folder(folder, options.batch_size)
        for folder in (options.real, options.generated, options.train)
    )
    masks = None if options.masks is None else Masks(options.masks)
    segmenter = None if masks is None else options.segmenter.open(options.device)
    where = {stem: row for row, stem in enumerate(real.stems)}
    scorer = Scorer(
        extractors=extractors,
        real=look(_batches("real", real, real.stems, None), extractors).features,
        pairs=np.array([where.get(stem, -1) for stem in made.stems], np.int64),
        objects=np.arange(len(made.stems)),
        subset_size=options.subset_size,
        seed=options.seed,
    )
    oracle = train.chosen(random_rows(len(train.stems), len(made.stems), options.seed))
    table = RowTable(made.stems)
    for method, folder in (("generated", made), ("oracle 2", oracle)):
        seen = look(_batches(method, folder, made.stems, masks), extractors, segmenter)
        table.add(*scorer.score(method, seen))
    table.tell(notice, options.csv, options.json)


class Folder:
    """Images of a folder and its subfolders, all of one size, in the order of their names.

    Raises `PoseGenError` when there is none, and when two of them have one name.
    """

    def __init__(self, root: Path, batch_size: int) -> None:
        self.root = root
        self.names = image_names(root)
        self.stems = [name.rpartition(".")[0] for name in self.names]
        self._batch_size = batch_size
        if len(set(self.stems)) < len(self.stems):
            twice = next(stem for stem in self.stems if self.stems.count(stem) > 1)
            raise PoseGenError(f"{root}: two images are named {twice}; keep one of them")

    def chosen(self, rows: np.ndarray) -> "Folder":
        """These images, in that order."""
        other = Folder.__new__(Folder)
        other.root, other._batch_size = self.root, self._batch_size
        other.names = [self.names[row] for row in rows]
        other.stems = [self.stems[row] for row in rows]
        return other

    def batches(self) -> Iterator[Pixels]:
        """uint8 RGB [N, H, W, 3]. Raises `PoseGenError` for an image of another size."""
        size: tuple[int, ...] = ()
        for start in range(0, len(self.names), self._batch_size):
            images = []
            for name in self.names[start : start + self._batch_size]:
                image = read_rgb(self.root / name)
                size = size or image.shape
                if image.shape != size:
                    raise PoseGenError(
                        f"{self.root / name}: {image.shape[1]}×{image.shape[0]} px where others "
                        f"have {size[1]}×{size[0]}; bring all to one size"
                    )
                images.append(image)
            yield np.stack(images)


class Masks:
    """Silhouettes by name, white on black, of any size."""

    def __init__(self, root: Path) -> None:
        self._paths = {name.rpartition(".")[0]: root / name for name in image_names(root)}

    def read(self, stems: list[str]) -> Pixels:
        """uint8 [N, S, S] in {0, 255}; of a name without a file an empty one."""
        return np.stack([self._one(self._paths.get(stem)) for stem in stems])

    def _one(self, path: Path | None) -> Pixels:
        if path is None:
            return np.zeros((MASK_SIZE, MASK_SIZE), np.uint8)
        pixels = read_mask_file(path).channel(MaskChannel.LUMA).astype(np.uint8)
        mask = np.where(pixels > 127, 255, 0).astype(np.uint8)
        return resized(mask[None], MASK_SIZE)[0]


def _batches(label: str, folder: Folder, stems: list[str], masks: Masks | None) -> Iterator[Batch]:
    """Images with the masks of `stems`, which were asked for in their places."""

    def read() -> Iterator[Batch]:
        done = 0
        for images in folder.batches():
            own = stems[done : done + len(images)]
            yield images, None if masks is None else masks.read(own)
            done += len(images)

    return shown(label, read(), len(stems))
