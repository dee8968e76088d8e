"""What is evaluated: a checkpoint through PyTorch, or a bundle through the runtime."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from posegen.data.prepared import Pixels
from posegen_runtime.bundle import MANIFEST
from posegen_runtime.errors import PoseGenError

Conditions = Mapping[str, NDArray[np.generic]]
"""By input: `mask` uint8 [N, S, S] in {0, 255}, `appearance` and `background` uint8 [N, S, S, 3],
`viewpoint` float32 [N, 3]. A model takes those that it uses."""


class Model(Protocol):
    """Makes images; `inputs` are the names of what it takes."""

    @property
    def label(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def image_size(self) -> int: ...

    @property
    def inputs(self) -> tuple[str, ...]: ...

    def images(self, conditions: Conditions) -> Pixels:
        """uint8 RGB [N, S, S, 3]."""
        ...


def open_model(
    path: Path, device: str = "auto", threads: int | None = None, precision: str = "fp32"
) -> Model:
    """The bundle in `path` in that precision, or the checkpoint there or in that folder of a run,
    always in float32.

    Raises `PoseGenError` when there is neither, it is damaged, it takes no mask, or it lacks
    `precision`.
    """
    model: Model
    if (path / MANIFEST).is_file():
        model = BundleModel(path, device, threads, precision)
    elif not path.exists():
        raise PoseGenError(f"{path}: no such file or folder; name a checkpoint, a run or a bundle")
    elif (path.parent / MANIFEST).is_file():
        raise PoseGenError(f"{path}: one part of a bundle; name its folder, {path.parent}")
    else:
        from posegen.evaluation.checkpoint_model import CheckpointModel

        if precision != "fp32":
            raise PoseGenError(
                f"{path}: a checkpoint computes in float32; name a bundle for --precision "
                f"{precision}"
            )
        model = CheckpointModel(path, device, threads)
    if "mask" not in model.inputs:
        raise PoseGenError(f"{path}: this model takes no mask, so there is no pose to judge")
    return model


class BundleModel:
    """A bundle's graphs of one precision, through the runtime."""

    def __init__(
        self,
        path: Path,
        device: str = "auto",
        threads: int | None = None,
        precision: str = "fp32",
    ) -> None:
        from posegen_runtime import PoseGenerator

        self._generator = PoseGenerator.load(path, precision, threads, device)
        bundle = self._generator.bundle
        height, width = bundle.image_size
        if height != width:
            raise PoseGenError(f"{path}: makes images of {width}×{height}, data sets are square")
        self.image_size = height
        self.inputs = tuple(spec.name for spec in bundle.manifest.inputs)
        kind = (bundle.manifest.arch, bundle.manifest.preset, bundle.manifest.variant)
        choice = self._generator.choice
        self.label = (
            f"bundle, {'/'.join(kind)} at {height} px, {choice.precision} on {choice.backend.value}"
        )
        # bundle.json holds the hash of every other file.
        self.sha256 = hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()

    def images(self, conditions: Conditions) -> Pixels:
        masks, *others = ((name, conditions[name]) for name in self.inputs)
        given: dict[str, Any] = dict(others)
        return self._generator.generate(masks[1], **given)
