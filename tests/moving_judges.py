"""Judges that were not trained, but whose answers depend on every picture: a fault shows."""

from pathlib import Path

import torch

from posegen.checkpoint import Lineage
from posegen.judges.checkpoint import JudgeInfo, save_judge
from posegen.judges.config import JudgeConfig, JudgeKind
from posegen.judges.models import Segmenter, build_judge
from posegen_export.judges import make_pictures, reference

SIZE = 64


def save_moving_judge(path: Path, kind: JudgeKind, gain: float = 30.0) -> Path:
    """`gain` stretches the last layer; 0 gives a judge that always says the same."""
    torch.manual_seed(3)
    judge = build_judge(kind, SIZE)
    last = judge.head if isinstance(judge, Segmenter) else judge.regressor.bins
    for module in judge.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # its statistics are those of the one pass in training mode
    logits = []
    last.register_forward_hook(lambda _, __, output: logits.append(output))
    with torch.no_grad():
        last.weight.mul_(gain)
        for mode in (True, False):
            reference(judge.train(mode), kind, make_pictures(kind, SIZE, 24))
        last.bias.sub_(logits[-1].transpose(0, 1).flatten(1).mean(1))
    info = JudgeInfo(
        config=JudgeConfig(kind=kind, image_size=SIZE),
        lineage=Lineage(dataset={"name": "none"}, seed=0, version="0"),
        figures={"iou": 0.5},
    )
    save_judge(path, judge, info)
    return path
