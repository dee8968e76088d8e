"""`posegen-export judge`: a judge's checkpoint → the folder that `posegen_runtime.judges` reads."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from posegen.judges.checkpoint import JudgeCheckpoint, load_judge
from posegen.judges.config import JudgeKind
from posegen.judges.models import Judge, Outline, Segmenter
from posegen_export import synthetic
from posegen_export.bundle_writer import staging
from posegen_export.graph import silhouette, to_network
from posegen_export.graphs import EXAMPLE_ROWS
from posegen_export.onnx import to_onnx
from posegen_export.reference import to_network as reference_input
from posegen_runtime import __version__
from posegen_runtime.backends.onnx import OnnxBackend
from posegen_runtime.bundle import sha256_of
from posegen_runtime.errors import PoseGenError
from posegen_runtime.judges import MANIFEST, SCHEMA, Manifest

FILE = "model.onnx"
BATCHES = (1, 3, 64)
MAX_LEVELS = 1.0
"""Largest difference of a segmenter's probability × 255 from PyTorch's."""
MAX_DEGREES = 0.05
MIN_SPREAD = {JudgeKind.SEGMENTER: 5.0, JudgeKind.HEADING: 0.05, JudgeKind.OUTLINE: 0.05}
"""Smallest standard deviation of what a judge says of different pictures, in levels and in units of
cos and sin: of a judge that always says the same, equality proves nothing."""

Pixels = npt.NDArray[np.uint8]


class JudgeGraph(nn.Module):
    """A judge with its border: image uint8 [N, H, W, 3] or mask uint8 [N, H, W] in; mask uint8
    [N, H, W] or heading float32 [N, 2] out."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, *inputs: Tensor) -> Tensor:
        (pixels,) = inputs
        if isinstance(self.judge, Outline):
            return self.judge(silhouette(pixels))
        said = self.judge(to_network(pixels))
        if isinstance(self.judge, Segmenter):
            return (said[:, 0].sigmoid() * 255).round().to(torch.uint8)
        return said


class JudgeGateMissed(Exception):
    """The graph does not say what PyTorch says. One line."""


def export_judge(checkpoint: Path, target: Path) -> Manifest:
    """Write the judge's folder `target`, whole or not at all, and return its manifest.

    Raises `JudgeGateMissed` when the graph differs from PyTorch, and `PoseGenError` for an unusable
    checkpoint, a judge that always says the same, and a target that is something else.
    """
    source = load_judge(checkpoint)
    _check_target(target)
    config = source.info.config
    inputs = make_pictures(config.kind, config.image_size, max(BATCHES))
    expected = reference(source.judge, config.kind, inputs)
    spread = float(expected.std(axis=0).mean())
    if spread < MIN_SPREAD[config.kind]:
        raise PoseGenError(
            f"{source.path}: says nearly the same of every picture (spread {spread:.3g}, must be "
            f"{MIN_SPREAD[config.kind]:g}), so that a broken graph would pass too; train longer"
        )
    with staging(target) as root:
        onnx.save(judge_onnx(source), root / FILE)
        difference = largest_difference(root / FILE, config.kind, inputs, expected)
        bound = MAX_LEVELS if config.kind is JudgeKind.SEGMENTER else MAX_DEGREES
        if not difference <= bound:
            raise JudgeGateMissed(f"differs from PyTorch by {difference:.4g}, at most {bound:g}")
        manifest = Manifest(
            schema=SCHEMA,
            kind=config.kind.value,
            image_size=config.image_size,
            file=FILE,
            sha256=sha256_of(root / FILE),
            figures=source.info.figures,
            parity={"max_difference": difference},
            lineage=_lineage(source),
        )
        encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        (root / MANIFEST).write_bytes(encoded + b"\n")
    return manifest


def judge_onnx(source: JudgeCheckpoint) -> onnx.ModelProto:
    """The checked graph: opset 20, IR 10, a dynamic number of pictures."""
    config = source.info.config
    example = torch.from_numpy(make_pictures(config.kind, config.image_size, EXAMPLE_ROWS))
    metadata = {
        "posegen.schema": str(SCHEMA),
        "posegen.judge": config.kind.value,
        "posegen.image_height": str(config.image_size),
        "posegen.image_width": str(config.image_size),
        "posegen.channel_order": "RGB",
    }
    graph = JudgeGraph(source.judge).requires_grad_(False)
    return to_onnx(graph, (example,), [config.kind.input], [config.kind.output], metadata)


def make_pictures(kind: JudgeKind, size: int, count: int) -> Pixels:
    """Made-up pictures, every third of them noise; masks for an outline."""
    generator = np.random.default_rng(0)
    shape = (size, size)
    pictures = []
    for number in range(count):
        is_noise = number % 3 == 2
        if kind is JudgeKind.OUTLINE:
            grain = size // 8
            made = (
                synthetic.random_mask(generator, shape, grain)
                if is_noise
                else synthetic.car_mask(generator, shape)
            )
        elif is_noise:
            made = generator.integers(0, 256, (*shape, 3)).astype(np.uint8)
        else:
            made = synthetic.appearance(generator, shape)
        pictures.append(made)
    return np.stack(pictures)


@torch.no_grad()
def reference(judge: Judge, kind: JudgeKind, pictures: Pixels) -> npt.NDArray[np.float64]:
    """What PyTorch says in float32: levels [N, H, W] not rounded, or unit vectors [N, 2]."""
    said = judge(torch.from_numpy(reference_input(kind.input, pictures))).double().numpy()
    return 255 / (1 + np.exp(-said[:, 0])) if kind is JudgeKind.SEGMENTER else said


def largest_difference(
    file: Path, kind: JudgeKind, pictures: Pixels, expected: npt.NDArray[np.float64]
) -> float:
    """Of the graph at every batch size: levels of a segmenter, degrees of the others. Infinite
    where it does not run, or gives another shape."""
    backend = OnnxBackend(file, threads=1)
    largest = 0.0
    for count in BATCHES:
        try:
            said = backend.run({kind.input: pictures[:count]})[kind.output].astype(np.float64)
        except PoseGenError:
            return float("inf")
        true = expected[:count]
        if said.shape != true.shape or not np.isfinite(said).all():
            return float("inf")
        if kind is JudgeKind.SEGMENTER:
            difference = np.abs(said - np.rint(true))
        else:
            turned = np.arctan2(said[:, 1], said[:, 0]) - np.arctan2(true[:, 1], true[:, 0])
            lengths = np.abs(np.linalg.norm(said, axis=1) - 1)
            difference = np.degrees(np.abs(np.angle(np.exp(1j * turned))) + lengths)
        largest = max(largest, float(difference.max()))
    return largest


def _check_target(path: Path) -> None:
    """An earlier judge is replaced, an empty folder is filled, anything else is left alone."""
    if path.is_dir() and ((path / MANIFEST).is_file() or not any(path.iterdir())):
        return
    if path.exists() or path.is_symlink():
        raise PoseGenError(f"{path}: exists and is no judge; name another folder with -o")


def _lineage(source: JudgeCheckpoint) -> dict[str, Any]:
    info = source.info
    trained = msgspec.to_builtins(info.lineage)
    trained.pop("mask_range")
    return {
        **trained,
        "train_config": msgspec.to_builtins(info.config),
        "checkpoint_sha256": source.sha256,
        "exported_by": {
            "posegen": __version__,
            "torch": str(torch.__version__),
            "onnx": onnx.__version__,
        },
    }
