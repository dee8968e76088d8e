"""Training images made while they are needed: silhouettes in, image, mask and labels out.

    from torch.utils.data import DataLoader
    from posegen_runtime.torch import GeneratedImages

    images = GeneratedImages("masks/", background="scenes/", poses="poses.jsonl", seed=1)
    loader = DataLoader(images, batch_size=32, num_workers=4)
    for epoch in range(10):
        images.set_epoch(epoch)  # other backgrounds and another order
        for batch in loader:
            train(batch["image"], batch["mask"], batch["box"])

Needs PyTorch, which nothing else in this package does.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch.utils.data import IterableDataset, get_worker_info

from posegen_runtime.choices import Axis, BackendName, Fit, MaskChannel
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import PoseGenerator, load_bundle
from posegen_runtime.inputs import Inputs, find_inputs
from posegen_runtime.jobs import Job, draw
from posegen_runtime.masks import MaskValues
from posegen_runtime.options import RunOptions
from posegen_runtime.parts import WHOLE, Part
from posegen_runtime.pipeline import generate_with
from posegen_runtime.prepare import Preparer
from posegen_runtime.rows import Failure, Prepared

Sample = dict[str, Any]
UNPOSED: dict[str, Any] = {"R_m2c": np.zeros(9), "t_m2c": np.zeros(3), "cam_K": np.zeros(9)}


class GeneratedImages(IterableDataset[Any]):
    """Every silhouette once an epoch, or `per_mask` times, each time with another appearance and
    background where folders of them are given.

    A sample is a dictionary that `default_collate` stacks:

    - ``image`` uint8 [3, H, W] RGB and ``mask`` bool [H, W], at the bundle's size
    - ``box`` float32 [4]: x0, y0, x1, y1 in pixels, the last ones exclusive; ``area`` in pixels
    - ``category``, the COCO id, and ``name`` of the mask file
    - ``viewpoint`` float32 [3]: unit vector from the object to the camera, zeros where unknown
    - with `poses`, ``posed`` and ``R_m2c`` [3, 3], ``t_m2c`` [3], ``cam_K`` [3, 3], float64: those
      of the crop, in the unit and the conventions of the file; zeros where ``posed`` is false

    The workers of a `DataLoader`, and the processes of `torch.distributed` (or `rank` of `world`),
    share the silhouettes out: none is made twice. Every process gets as many; the few that are left
    over, others in each epoch with `shuffle`, are not made. What is drawn, and the order, follow
    from `seed`
    and `set_epoch` alone, whatever the number of workers, though they bring samples in their own
    order. Options are those of `posegen-run`; `threads` None is one in each worker, without workers
    one for each core. With a GPU take ``num_workers=0``, or ``multiprocessing_context="spawn"``.

    A file that is no usable silhouette is left out with a warning. Raises `PoseGenError` on wrong
    options, at once, and from a single process without workers where no file is usable.
    """

    def __init__(
        self,
        masks: str | Path,
        *,
        appearance: str | Path | None = None,
        background: str | Path | None = None,
        poses: str | Path | None = None,
        bundle: str | Path | None = None,
        precision: str = "fp32",
        backend: BackendName | str = BackendName.AUTO,
        threads: int | None = None,
        per_mask: int = 1,
        seed: int = 0,
        shuffle: bool = True,
        fit: Fit | str = Fit.AUTO,
        mask_values: str = "auto",
        mask_channel: MaskChannel | str = MaskChannel.AUTO,
        category: str | None = None,
        model_forward: Axis | str = Axis.X,
        model_up: Axis | str = Axis.Z,
        rank: int | None = None,
        world: int | None = None,
        transform: Callable[[Sample], Any] | None = None,
    ) -> None:
        super().__init__()
        if per_mask < 1:
            raise PoseGenError(f"per_mask {per_mask}: must be at least 1")
        if seed < 0:
            raise PoseGenError(f"seed {seed}: must be at least 0")
        if (rank is None) != (world is None):
            raise PoseGenError("rank and world: give both, or none")
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        if rank is None or world is None:
            rank = torch.distributed.get_rank() if distributed else 0
            world = torch.distributed.get_world_size() if distributed else 1
        if not 0 <= rank < world:
            raise PoseGenError(f"rank {rank} of world {world}: must be from 0 to {world - 1}")
        loaded = load_bundle(bundle)
        self._part = Part(rank, world)
        self._seed = seed
        self._shuffle = shuffle
        self._per_mask = per_mask
        self._transform = transform
        self._how: dict[str, Any] = {
            "bundle": bundle,
            "precision": precision,
            "backend": backend,
            "threads": threads,
        }
        # Of all processes: workers that live on would not hear of a new epoch otherwise.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._loaded: dict[int, PoseGenerator] = {}
        self._batch = min(loaded.manifest.max_batch, 8)
        self._fit = _choice(Fit, fit, "fit")
        self.size = loaded.image_size
        self._mask_range = loaded.manifest.mask_range
        self._inputs: Inputs = find_inputs(
            RunOptions(
                masks=Path(masks),
                out=Path(os.devnull),  # nothing is written
                bundle=None if bundle is None else Path(bundle),
                appearance=None if appearance is None else Path(appearance),
                background=None if background is None else Path(background),
                poses=None if poses is None else Path(poses),
                mask_values=mask_values,
                mask_channel=_choice(MaskChannel, mask_channel, "mask_channel"),
                category=category,
                model_forward=_choice(Axis, model_forward, "model_forward"),
                model_up=_choice(Axis, model_up, "model_up"),
            ),
            loaded,
        )
        self._has_poses = poses is not None
        if self._count < world:
            raise PoseGenError(
                f"--masks {masks}: {self._count} samples for {world} processes; each needs one, so "
                "give more masks, a larger per_mask or fewer processes"
            )

    def set_epoch(self, epoch: int) -> None:
        """Call it before each epoch, as that of PyTorch's `DistributedSampler`: another order, and
        other appearances and backgrounds. Raises `PoseGenError` below 0."""
        if epoch < 0:
            raise PoseGenError(f"epoch {epoch}: must be at least 0")
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        """Samples of an epoch here, less those of unusable files."""
        if self._inputs.reading.values is MaskValues.EACH:
            raise TypeError("a mask file may hold several objects: only reading tells how many")
        return self._count // self._part.count

    @property
    def _count(self) -> int:
        return len(self._inputs.masks) * self._per_mask

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        part = self._part
        if worker is not None:  # which shares out what its process has
            index = part.index + part.count * worker.id
            part = Part(index, part.count * worker.num_workers)
        epoch = int(self._epoch)
        numbers: Any = range(self._count)
        if self._shuffle:
            numbers = np.random.default_rng((self._seed, epoch)).permutation(self._count)
        # A process with more than others would wait for them at an epoch's end.
        numbers = numbers[: self._count - self._count % self._part.count]
        generate = generate_with(self._generator(worker is not None))
        prepare = Preparer(
            self.size,
            self._inputs.reading,
            self._fit,
            self._inputs.poses,
            self._mask_range,
            self._inputs.viewpoints,
        )
        ready: list[Prepared] = []
        made, bad = 0, ""
        for number in part.of(numbers):
            job = self._job(int(number), epoch)
            for item in prepare(job):
                if isinstance(item, Failure):
                    bad = f"{item.mask_name or job.mask.name}: {item.reason}"
                    warnings.warn(f"left out: {bad}", stacklevel=2)
                else:
                    ready.append(item)
            while len(ready) >= self._batch:
                made += self._batch
                yield from self._samples(ready[: self._batch], generate)
                del ready[: self._batch]
        if ready:
            made += len(ready)
            yield from self._samples(ready, generate)
        if bad and not made:
            if part == WHOLE:
                raise PoseGenError(f"no mask can be used; the last is {bad}")
            warnings.warn(
                f"none of the masks of part {part} can be used; the last is {bad}", stacklevel=2
            )

    def _job(self, number: int, epoch: int) -> Job:
        inputs = self._inputs
        mask = inputs.masks[number // self._per_mask]
        variation = epoch * self._per_mask + number % self._per_mask
        counts = len(inputs.appearances), len(inputs.backgrounds)
        first, second = draw(mask.name, variation, counts, seed=self._seed)
        return Job(
            mask=mask,
            stem="",
            variation=variation,
            variation_suffix="",
            appearance=inputs.appearances[first] if inputs.appearances else None,
            background=inputs.backgrounds[second] if inputs.backgrounds else None,
            number=number,
        )

    def _samples(self, ready: list[Prepared], generate: Callable[..., Any]) -> Iterator[Any]:
        for prepared, image in zip(ready, generate(ready), strict=True):
            sample = self._sample(prepared, image)
            yield sample if self._transform is None else self._transform(sample)

    def _sample(self, prepared: Prepared, image: np.ndarray) -> Sample:
        inside = prepared.mask > 0
        columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
        box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        pose = prepared.pose
        category = pose.category if pose else next(iter(self._inputs.categories))
        known = self._inputs.known_viewpoints.get(prepared.own_mask, (0.0, 0.0, 0.0))
        sample: Sample = {
            "image": torch.from_numpy(image).permute(2, 0, 1).contiguous(),
            "mask": torch.from_numpy(inside),
            "box": torch.tensor(box, dtype=torch.float32),
            "area": int(inside.sum()),
            "category": self._inputs.categories[category],
            "viewpoint": torch.tensor(known, dtype=torch.float32),
            "name": prepared.own_mask,
        }
        if self._has_poses:
            sample["posed"] = pose is not None
            for name, zeros in UNPOSED.items():
                value = torch.tensor(getattr(pose, name, zeros), dtype=torch.float64)
                sample[name] = value.reshape(3, 3) if len(value) == 9 else value
        return sample

    def _generator(self, in_worker: bool) -> PoseGenerator:
        """Each process has its own: engines do not survive a fork. A forked one keeps its parent's,
        whose end would wait for threads that were left behind."""
        process = os.getpid()
        if process not in self._loaded:
            threads = self._how["threads"] or (1 if in_worker else None)
            self._loaded[process] = PoseGenerator.load(**{**self._how, "threads": threads})
        return self._loaded[process]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loaded": {}}


def _choice(kind: Any, value: Any, name: str) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        names = ", ".join(each.value for each in kind)
        raise PoseGenError(f"{name} {value!r}: must be one of {names}") from error
