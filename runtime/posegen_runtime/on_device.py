"""`PoseGenerator.generate` with arrays that lie on its GPU."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from posegen_runtime.arguments import (
    NO_COPY,
    check_masks,
    check_masks_shape,
    check_viewpoint,
)
from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.out import check_apart, check_out
from posegen_runtime.arrays.view import View
from posegen_runtime.backends.base import OnDevice
from posegen_runtime.errors import PoseGenError

if TYPE_CHECKING:
    from posegen_runtime.generator import PoseGenerator


def generate_on_device(
    generator: "PoseGenerator",
    arrays: dict[str, Any],
    out: object,
    place: Any,
    allow_copy: bool,
    stream: int | None,
) -> DeviceArray:
    """Images on the GPU, in `place` or new.

    `arrays` are masks, appearance, background and viewpoint as `generate` takes them, one of them
    or `place` on a GPU; `out` is what the caller gave as `place`.
    """
    device = _device(generator, {**arrays, "out": place})
    size, gpu = generator.image_size, device.gpu
    masks = _masks(arrays["masks"], size, allow_copy, gpu)
    count = len(masks)
    target: Any = None
    if out is not None:
        target = check_out(place, type(out).__name__, (count, *size, 3))
        if not isinstance(target, DeviceArray):
            raise PoseGenError(
                "out: lies in the host's memory, but an input on a GPU; give memory there, or "
                "leave it out and copy what is returned"
            )
        check_apart(target, {**arrays, "masks": masks})
    feeds: dict[str, Any] = {"mask": masks}
    if generator.bundle.takes_viewpoint:
        feeds["viewpoint"] = _viewpoint(arrays["viewpoint"], count)
    conditions = generator.check_conditions(
        {name: array for name, array in arrays.items() if name != "masks"}, count
    )
    shape = (count, *size, 3)
    if count == 0:
        return DeviceArray(View(0, shape, None, np.dtype(np.uint8), False, None, gpu))
    images = device.allocate(shape, "uint8") if target is None else target
    kept = []
    if any(isinstance(array, DeviceArray) for array in conditions.values()):
        feeds |= _encoded(generator, conditions, stream)
    else:
        kept = generator.encoded(conditions)
    step = generator.bundle.manifest.max_batch
    for start in range(0, count, step):
        stop = min(start + step, count)
        rows = {name: _rows(array, start, stop) for name, array in feeds.items()}
        of_rows = kept[start:stop] if len(kept) > 1 else kept
        device.run(rows, of_rows, {"image": images.rows(start, stop)}, stream)
    made_on = stream if device.returns_before else None
    return DeviceArray(View(**{**vars(images.view), "stream": made_on}))


def _device(generator: "PoseGenerator", arrays: Mapping[str, Any]) -> OnDevice:
    """The GPU's side of the backend, which must be the GPU that holds the arrays."""
    device = generator.backend(generator.graphs[-1]).on_device
    for name, array in arrays.items():
        if not isinstance(array, DeviceArray):
            continue
        if device is None:
            raise PoseGenError(
                f"{name}: lies on cuda:{array.gpu}, but the backend "
                f"{generator.choice.backend.value} reads the host's memory; copy it there, or "
                "load the generator with backend='cuda' or 'tensorrt'"
            )
        if array.gpu != device.gpu:
            raise PoseGenError(
                f"{name}: lies on cuda:{array.gpu}, but the generator runs on cuda:{device.gpu}"
            )
    assert device is not None
    return device


def _masks(masks: Any, size: tuple[int, int], allow_copy: bool, gpu: int) -> Any:
    """Masks [N, H, W], where they lie. Their values on a GPU are not looked at."""
    if not isinstance(masks, DeviceArray):
        checked = check_masks(masks, size, allow_copy)
        if not allow_copy:
            raise PoseGenError(f"masks: lie in the host's memory; must be on cuda:{gpu}, {NO_COPY}")
        return checked
    if masks.dtype != np.uint8:
        raise PoseGenError(f"masks: {masks.dtype}; on a GPU they must be uint8 in {{0, 255}}")
    check_masks_shape(masks.shape, size)
    return masks if len(masks.shape) == 3 else masks.reshaped(1, *masks.shape)


def _viewpoint(viewpoint: Any, count: int) -> Any:
    if not isinstance(viewpoint, DeviceArray):
        return check_viewpoint(viewpoint, count)
    if viewpoint.dtype != np.float32:
        raise PoseGenError(f"viewpoint: {viewpoint.dtype}; must be a float32 array")
    if viewpoint.shape not in ((3,), (count, 3)):
        raise PoseGenError(f"viewpoint: shape {viewpoint.shape}; must be [3] or [{count}, 3]")
    if viewpoint.shape == (count, 3):
        return viewpoint
    if count != 1:
        raise PoseGenError(f"viewpoint: [3] for {count} masks; on a GPU give [{count}, 3]")
    return viewpoint.reshaped(1, 3)


def _encoded(
    generator: "PoseGenerator", conditions: dict[str, Any], stream: int | None
) -> dict[str, DeviceArray]:
    """Conditions that lie on the GPU, encoded there, [1 or N, ...]: in every call, for to know
    them again they would have to be read."""
    device = generator.backend("conditions").on_device
    assert device is not None
    graph = generator.bundle.precision(generator.precision).graphs["conditions"]
    count = max(len(images) for images in conditions.values())
    encoded = {
        spec.name: device.allocate((count, *_of_row(spec.shape)), spec.dtype)
        for spec in graph.outputs
    }
    together = all(len(images) == count for images in conditions.values())
    step = generator.bundle.manifest.max_batch if together else 1
    for start in range(0, count, step):
        stop = min(start + step, count)
        rows = {name: _rows(images, start, stop) for name, images in conditions.items()}
        device.run(
            rows, [], {name: each.rows(start, stop) for name, each in encoded.items()}, stream
        )
    return encoded


def _of_row(shape: list[int | str]) -> tuple[int, ...]:
    return tuple(int(size) for size in shape[1:])


def _rows(array: Any, start: int, stop: int) -> Any:
    """Those rows, or the one for all."""
    if len(array) == 1:
        return array
    return array.rows(start, stop) if isinstance(array, DeviceArray) else array[start:stop]
