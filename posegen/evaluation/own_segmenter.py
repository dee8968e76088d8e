"""A segmenter of the data set's own objects, for those that the shipped one does not know."""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import cv2
import msgspec
import numpy as np

from posegen.data.dataset import Dataset
from posegen.data.prepared import Pixels
from posegen.evaluation import thresholds
from posegen.evaluation.judges import MaskJudge
from posegen.evaluation.pose import iou, resized_masks
from posegen.evaluation.samples import Samples
from posegen.judges.config import JudgeConfig, JudgeKind
from posegen.user_cache import user_cache
from posegen_runtime.errors import PoseGenError

CONFIG = JudgeConfig(kind=JudgeKind.SEGMENTER, steps=600, batch_size=16)
"""Some minutes of a CPU."""
SPLITS = ("train", "val")
LOOKED_AT = 64
"""Photos that tell whether a segmenter knows the object."""


def knows(segmenter: MaskJudge, samples: Samples) -> bool:
    """Does it find the objects in these real photos, at `thresholds.CEILING` or above?"""
    count = min(LOOKED_AT, len(samples))
    rows = np.linspace(0, len(samples) - 1, count).round().astype(np.int64)
    found = segmenter.masks(samples.photo(rows)) > 127
    overlap = iou(found, resized_masks(samples.mask(rows), found.shape[1]))
    # Photos without a silhouette say nothing, and a segmenter cannot help them.
    return bool(np.isnan(overlap).all() or np.nanmean(overlap) >= thresholds.CEILING)


def own_segmenter(dataset: Dataset, config: JudgeConfig = CONFIG) -> "TrainedSegmenter | None":
    """Trained on the data set's train split, once: it is kept in the user's cache under the data
    set's hash and `config`. None where a split of `SPLITS` has no samples, or its photos are
    smaller than the segmenter's.

    Raises `PoseGenError` when the cache cannot be written.
    """
    too_small = min(dataset.description.image_size) < config.image_size
    if too_small or not all(dataset.samples(split) for split in SPLITS):
        return None
    content = dataset.description.sha256.encode() + msgspec.json.encode(config)
    path = user_cache() / "segmenters" / f"{hashlib.sha256(content).hexdigest()}.safetensors"
    if not path.is_file():
        _train(dataset, config, path)
    return TrainedSegmenter(path)


class TrainedSegmenter:
    """A `MaskJudge`: the checkpoint of a segmenter, through PyTorch on the CPU. `sha256` is that of
    its file."""

    def __init__(self, path: Path) -> None:
        from posegen.judges.checkpoint import load_judge

        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        checkpoint = load_judge(path)
        self._judge, self._size = checkpoint.judge, checkpoint.info.config.image_size

    def masks(self, images: Pixels) -> Pixels:
        from posegen.judges.augment import Views
        from posegen.judges.figures import answers

        size = (self._size, self._size)
        small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]
        blank = np.zeros((len(images), *size), np.uint8)
        said = answers(self._judge, Views(np.stack(small), blank, np.zeros(len(images))))
        return np.where(said[:, 0] > 0, 255, 0).astype(np.uint8)


def _train(dataset: Dataset, config: JudgeConfig, path: Path) -> None:
    from posegen.judges.checkpoint import FILE
    from posegen.judges.training import train_judge

    print(
        "the segmenter that ships does not know these objects: training one on the train split, "
        f"once, kept as {path}",
        file=sys.stderr,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            train_judge(config, dataset.root, Path(folder))
            os.replace(Path(folder) / FILE, path)
    except OSError as error:
        raise PoseGenError(
            f"{path.parent}: cannot be written ({error.strerror}); set XDG_CACHE_HOME, or name "
            "a folder of judges with --judges"
        ) from None
