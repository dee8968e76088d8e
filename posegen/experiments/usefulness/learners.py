"""What is learnt from a set: a small segmenter and a small yaw regressor, tested on target photos
of cars that none of the sets shows."""

from pathlib import Path

import msgspec
import numpy as np
import torch

from posegen.checkpoint import Lineage
from posegen.evaluation.heading import heading_error
from posegen.evaluation.pose import iou
from posegen.experiments.usefulness.config import Config
from posegen.judges.augment import Views
from posegen.judges.checkpoint import JudgeInfo, load_judge, save_judge
from posegen.judges.config import JudgeConfig, JudgeKind
from posegen.judges.figures import answers
from posegen.judges.models import Heading, Judge, build_judge
from posegen.judges.training import learn
from posegen.training.progress import Reporter
from posegen_runtime import __version__
from posegen_runtime.paths import write_atomic
from posegen_runtime.records import read_record

_SCORE = "score.json"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Figures on some images. `iou` is the segmenter's mean; `yaw_median` in degrees and
    `yaw_flipped`, the share that is wrong by more than 90°, are the regressor's, which finds the
    object with that segmenter; None without poses."""

    iou: float
    yaw_median: float | None = None
    yaw_flipped: float | None = None
    schema: int = 1


def score(
    config: Config, training: Views, has_poses: bool, test: Views, seed: int, folder: Path
) -> Score:
    """Train on `training` and test, or read what that gave before."""
    file = folder / _SCORE
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _learn(config, JudgeKind.SEGMENTER, training, seed, folder)
        if has_poses:
            _learn(config, JudgeKind.HEADING, training, seed, folder)
        found = seen_by(folder, test, has_poses)
        write_atomic(file, msgspec.json.format(msgspec.json.encode(found)), fsync=True)
    return read_record(file.read_bytes(), Score, 1, file, "score", "remove it")


def seen_by(folder: Path, images: Views, has_poses: bool) -> Score:
    """What the judges in `folder` find in `images`, held against the labels of these."""
    found = answers(_load(folder, JudgeKind.SEGMENTER), images)[:, 0] > 0
    overlap = float(np.nanmean(iou(found, images.mask > 127)))
    if not has_poses:
        return Score(iou=overlap)
    said = answers(_load(folder, JudgeKind.HEADING), images).astype(np.float64)
    errors = heading_error(np.arctan2(said[:, 1], said[:, 0]), images.azimuth)
    return Score(
        iou=overlap,
        yaw_median=float(np.median(errors)),
        yaw_flipped=float((errors > 90).mean()),
    )


def _learn(config: Config, kind: JudgeKind, training: Views, seed: int, folder: Path) -> None:
    """Train a judge into `folder`, unless it is there."""
    if _file(folder, kind).exists():
        return
    torch.manual_seed(seed)
    judge = build_judge(kind, config.image_size)
    if isinstance(judge, Heading):
        found = _load(folder, JudgeKind.SEGMENTER)
        judge.segmenter.load_state_dict(found.state_dict())
    learning = JudgeConfig(
        kind=kind,
        image_size=config.image_size,
        steps=config.steps,
        batch_size=config.batch_size,
        seed=seed,
    )
    reporter = Reporter(folder / kind.value, 0, config.steps, True)
    reporter.say(f"{folder.name}, {kind.value}")
    with reporter.running():
        learn(judge, training, learning, torch.device("cpu"), reporter)
    source = {"name": folder.name, "images": len(training)}
    lineage = Lineage(dataset=source, seed=seed, version=__version__, parent=None)
    save_judge(_file(folder, kind), judge, JudgeInfo(config=learning, lineage=lineage, figures={}))


def _load(folder: Path, kind: JudgeKind) -> Judge:
    return load_judge(_file(folder, kind)).judge


def _file(folder: Path, kind: JudgeKind) -> Path:
    return folder / f"{kind.value}.safetensors"
