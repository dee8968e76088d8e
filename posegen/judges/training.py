"""`posegen judges train`: a data set's renders, damaged, and a judge that sees through it."""

import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posegen.checkpoint import Lineage
from posegen.config import TrainPrecision
from posegen.data.dataset import Dataset, open_dataset
from posegen.data.prepared import Split, prepare
from posegen.evaluation.heading import azimuth
from posegen.judges.augment import Views, augment, shift_edges
from posegen.judges.checkpoint import FILE, JudgeInfo, load_judge, save_judge
from posegen.judges.config import JudgeConfig, JudgeKind, learning_rate
from posegen.judges.figures import measure
from posegen.judges.losses import heading_loss, segmenter_loss
from posegen.judges.models import (
    Heading,
    Judge,
    Regressor,
    Segmenter,
    build_judge,
    pictures,
    silhouettes,
)
from posegen.training.progress import Reporter, reading_progress
from posegen_runtime import __version__
from posegen_runtime.errors import PoseGenError

CACHE = "cache"
_REPORT_EVERY = 20


def train_judge(
    config: JudgeConfig, data: Path, out: Path, segmenter: Path | None = None
) -> dict[str, float]:
    """Train a judge on the train split, measure it on the val split and write ``judge.safetensors``
    into `out`. Returns the figures (`posegen.judges.figures`).

    `segmenter` is the checkpoint through which a heading judge finds the object; it stays as it is.

    What is learnt follows from the data set and `config` alone, on one kind of machine.
    Raises `PoseGenError` for unusable data and when the loss is not finite.
    """
    if (out / FILE).exists():
        raise PoseGenError(f"{out / FILE}: would be overwritten; give another --out")
    if config.precision is TrainPrecision.FLOAT16:
        raise PoseGenError("--precision 16-mixed: judges train in bf16-mixed or 32")
    torch.manual_seed(config.seed)
    judge = build_judge(config.kind, config.image_size)
    parent = _take_segmenter(judge, config, segmenter)
    dataset = open_dataset(data)
    try:
        training, held_out = (
            _usable(dataset, config, split, out / CACHE) for split in ("train", "val")
        )
        figures = _learn_and_measure(judge, training, held_out, config, out)
    finally:
        shutil.rmtree(out / CACHE, ignore_errors=True)
    lineage = Lineage(
        dataset=dataset.description.lineage(len(training)),
        seed=config.seed,
        version=__version__,
        parent=parent,
    )
    save_judge(out / FILE, judge, JudgeInfo(config=config, lineage=lineage, figures=figures))
    return figures


def _usable(dataset: Dataset, config: JudgeConfig, split: str, cache: Path) -> Views:
    """A split's pictures; of one whose poses must be known, those with a pose."""
    with reading_progress() as progress:
        prepared = prepare(dataset, split, config.image_size, cache, progress=progress)
    return views_of(prepared, config.kind, f"{dataset.root}: the {split} split")


def views_of(split: Split, kind: JudgeKind, name: str) -> Views:
    """The pictures of a split that `kind` can learn from. Raises `PoseGenError` when none is."""
    views = Views(split.photo, split.mask, azimuth(split.viewpoint))
    if kind is not JudgeKind.SEGMENTER:
        views = views.chosen(np.flatnonzero(np.isfinite(views.azimuth)))
    if len(views) == 0:
        needs = "samples" if kind is JudgeKind.SEGMENTER else "samples with a pose (scene_gt.json)"
        raise PoseGenError(
            f"{name} holds no {needs}; render 3 objects or more with `posegen data render --cars`"
        )
    return views


def _take_segmenter(judge: Judge, config: JudgeConfig, path: Path | None) -> str | None:
    """Give a heading judge its segmenter. Returns the sha256 of that checkpoint."""
    if not isinstance(judge, Heading):
        if path is not None:
            raise PoseGenError(f"--segmenter {path}: only --kind heading takes one; leave it out")
        return None
    if path is None:
        raise PoseGenError(
            "--kind heading: finds the object with a segmenter; train one, then name it with "
            "--segmenter"
        )
    checkpoint = load_judge(path)
    found = checkpoint.info.config
    if found.kind is not JudgeKind.SEGMENTER or found.image_size != config.image_size:
        raise PoseGenError(
            f"--segmenter {path}: holds a judge of kind {found.kind.value} at {found.image_size} "
            f"px; name a segmenter at {config.image_size} px"
        )
    judge.segmenter.load_state_dict(checkpoint.judge.state_dict())
    return checkpoint.sha256


def _learn_and_measure(
    judge: Judge, training: Views, held_out: Views, config: JudgeConfig, out: Path
) -> dict[str, float]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    reporter = Reporter(out, 0, config.steps, True)
    reporter.say(
        f"{config.kind.value} at {config.image_size} px, {len(training)} training and "
        f"{len(held_out)} validation samples, {device.type}, precision {config.precision.value}"
    )
    with reporter.running():
        learn(judge, training, config, device, reporter)
        figures = measure(judge.cpu().eval(), held_out)
        reporter.metrics(config.steps, figures, True)
    return figures


def learn(
    judge: Judge, training: Views, config: JudgeConfig, device: torch.device, reporter: Reporter
) -> None:
    """Train `judge` on `training`; of a heading judge its regressor, on the true silhouettes.

    Raises `PoseGenError` when the loss is not finite.
    """
    learning = judge if isinstance(judge, Segmenter) else judge.regressor
    learning.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        learning.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    pending: list[Tensor] = []
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(draw, training, config, 0)
        for step in range(config.steps):
            views = coming.result()
            coming = reader.submit(draw, training, config, step + 1)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config, step)
            loss = _loss(learning, views, config, device)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            pending.append(loss.detach())
            if (step + 1) % _REPORT_EVERY == 0 or step + 1 == config.steps:
                _report(pending, step + 1, config, reporter)


def draw(training: Views, config: JudgeConfig, step: int) -> Views:
    """The pictures of a step, a function of (seed, step) alone."""
    generator = np.random.default_rng([config.seed, step])
    chosen, others = generator.integers(len(training), size=(2, config.batch_size))
    damages = config.kind is not JudgeKind.OUTLINE
    views = augment(training.chosen(chosen), training.mask[others], generator, damages)
    if config.kind is JudgeKind.HEADING:
        views = replace(views, mask=shift_edges(views.mask, generator))
    return views


def _loss(
    learning: Segmenter | Regressor, views: Views, config: JudgeConfig, device: torch.device
) -> Tensor:
    is_mixed = config.precision is TrainPrecision.BFLOAT16
    mixed = torch.autocast(device.type, torch.bfloat16, enabled=is_mixed)
    mask = silhouettes(views.mask).to(device)
    image = None if config.kind is JudgeKind.OUTLINE else pictures(views.image).to(device)
    if isinstance(learning, Segmenter):
        with mixed:
            logits = learning(image)
        return segmenter_loss(logits.float(), mask)
    with mixed:
        bins = learning(mask, image)
    return heading_loss(bins.float(), torch.from_numpy(views.azimuth).to(device, torch.float32))


def _report(pending: list[Tensor], step: int, config: JudgeConfig, reporter: Reporter) -> None:
    mean = float(torch.stack(pending).mean())
    pending.clear()
    if not math.isfinite(mean):
        raise PoseGenError(
            f"training diverged by step {step}: the loss is NaN or infinite; nothing was written, "
            "use --precision 32 or another --seed"
        )
    reporter.losses(step, {"loss": mean}, learning_rate(config, step - 1))
