"""Silhouettes in, images out: the Python interface of the runtime."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

from posegen_runtime.arguments import NO_COPY, check_images, check_masks, check_viewpoint
from posegen_runtime.arrays.device import DeviceArray
from posegen_runtime.arrays.out import check_apart, check_out
from posegen_runtime.arrays.read import read_array, stream_handle, taken
from posegen_runtime.backends.base import Backend, Feeds, Kept
from posegen_runtime.backends.choosing import Choice, choose
from posegen_runtime.backends.opening import open_backend
from posegen_runtime.bundle import Bundle
from posegen_runtime.cache import BoundedCache, content_key
from posegen_runtime.choices import BackendName
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_resized_rgb

Images = npt.NDArray[np.uint8]
Out = TypeVar("Out")
CACHE_BYTES = 128 * 2**20
"""Room for encoded conditions: 64 pairs or more, at no more than 2 MB a pair."""

SHIPPED_BUNDLE = Path(__file__).parent / "models" / "edge-cars"


class PoseGenerator:
    """A bundle, ready to generate. Safe to use from several threads at once.

    The same inputs give the same bytes at any batch size, and from any number of callers. With
    several `threads` in a call ONNX Runtime may round a few values otherwise, by one level.
    """

    def __init__(self, bundle: Bundle, choice: Choice, threads: int | None = None) -> None:
        self.bundle = bundle
        self.choice = choice
        self._threads = threads
        self._backends: dict[str, Backend] = {}
        self._lock = threading.Lock()
        self._cache: BoundedCache[bytes, Kept] = BoundedCache(CACHE_BYTES, lambda kept: kept.nbytes)
        self._defaults: dict[str, Images] = {}
        _ = self.engine  # loads the graph, so that what is wrong shows now
        if choice.backend is BackendName.TENSORRT:
            from posegen_runtime.selftest import prove_engines

            prove_engines(self)

    @classmethod
    def load(
        cls,
        bundle: str | Path | None = None,
        precision: str = "fp32",
        threads: int | None = None,
        backend: BackendName | str = BackendName.AUTO,
    ) -> "PoseGenerator":
        """Load a bundle whose hashes agree, on the backend asked for and no other.

        `bundle` None is the one that ships with the package. `precision` is one that the bundle
        holds, or "auto": the fastest one here, by measuring. `threads` is the number of CPU threads
        inside one call (None: one for each core). Raises `PoseGenError` when the bundle is
        damaged or lacks `precision`, when no inference engine is installed, and when `backend`
        cannot be had.
        """
        try:
            name = BackendName(backend)
        except ValueError as error:
            names = ", ".join(name.value for name in BackendName)
            raise PoseGenError(f"backend {backend!r}: must be one of {names}") from error
        if threads is not None and threads < 1:
            raise PoseGenError(f"threads {threads}: must be at least 1")
        loaded = load_bundle(bundle)
        return cls(loaded, choose(name, loaded, precision), threads)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of masks and images."""
        return self.bundle.image_size

    @property
    def precision(self) -> str:
        """Name of the precision variant that runs: fp32, fp16 or int8."""
        return self.choice.precision

    @property
    def engine(self) -> str:
        """What runs the graphs: engine, version and where."""
        return self.backend(self._graph).description

    def backend(self, graph: str) -> Backend:
        """The loaded graph of that name: generator, conditions or generator_cached."""
        with self._lock:
            if graph not in self._backends:
                self._backends[graph] = open_backend(
                    self.choice.backend, self.bundle, self.choice.precision, graph, self._threads
                )
            return self._backends[graph]

    @overload
    def generate(
        self,
        masks: Any,
        appearance: Any = ...,
        background: Any = ...,
        viewpoint: Any = ...,
        *,
        out: None = ...,
        allow_copy: bool = ...,
        stream: object = ...,
    ) -> Images: ...

    @overload
    def generate(
        self,
        masks: Any,
        appearance: Any = ...,
        background: Any = ...,
        viewpoint: Any = ...,
        *,
        out: Out,
        allow_copy: bool = ...,
        stream: object = ...,
    ) -> Out: ...

    def generate(
        self,
        masks: Any,
        appearance: Any = None,
        background: Any = None,
        viewpoint: Any = None,
        *,
        out: Any = None,
        allow_copy: bool = True,
        stream: object = None,
    ) -> Any:
        """Generate one image for each mask.

        `masks`: bool, or uint8 with 255 on the object, [H, W] or [N, H, W] at the bundle's size
        (`posegen_runtime.masks` and `.geometry` bring any mask file there). `appearance` and
        `background`: uint8 RGB, [H, W, 3] for all masks or [N, H, W, 3] one each; None takes the
        bundle's default. `viewpoint`: float32 [3] or [N, 3], where the model takes it
        (`bundle.takes_viewpoint`): the unit vector from the object towards the camera in the
        object's frame (`posegen_runtime.poses.viewpoint`), zeros or None where it is unknown.
        Returns uint8 RGB [N, H, W, 3]; N may be 0.

        Arrays may be of any library that speaks the buffer protocol, DLPack or CUDA's array
        interface. `out` is where the images go, and is returned: uint8 in that shape or as many
        bytes in a row, writable. With arrays on the generator's GPU the images are made there:
        into `out`, else into a new `DeviceArray`; on `stream`, the caller's, which orders what
        comes after, or without one, done on return. Without `allow_copy`, masks and `out` must be
        such that none of their bytes is copied on the way. docs/arrays.md has it all.

        Raises `PoseGenError` on any other shape or dtype, on an input that the bundle does not
        take, on a missing one that has no default, and on what cannot be done without a copy that
        is not allowed.
        """
        handle = stream_handle(stream)
        arrays = {
            name: taken(name, value, handle)
            for name, value in (
                ("masks", masks),
                ("appearance", appearance),
                ("background", background),
                ("viewpoint", viewpoint),
            )
        }
        place = None if out is None else read_array("out", out, handle)
        if any(isinstance(array, DeviceArray) for array in (place, *arrays.values())):
            from posegen_runtime.on_device import generate_on_device

            images = generate_on_device(self, arrays, out, place, allow_copy, handle)
            return images if out is None else out
        self._refuse_copies(handle, allow_copy)
        silhouettes = check_masks(arrays["masks"], self.image_size, allow_copy)
        count = len(silhouettes)
        of_masks = arrays.pop("masks")
        keyed = self._keyed(self.check_conditions(arrays, count))
        if out is None:
            return self.generate_keyed(silhouettes, keyed, arrays["viewpoint"])
        target: Any = check_out(place, type(out).__name__, (count, *self.image_size, 3))
        check_apart(target, {"masks": of_masks, **arrays})
        if target.flags.c_contiguous:
            self.generate_keyed(silhouettes, keyed, arrays["viewpoint"], target)
        elif allow_copy:
            target[...] = self.generate_keyed(silhouettes, keyed, arrays["viewpoint"])
        else:
            raise PoseGenError(f"out: not contiguous; must be, {NO_COPY}")
        return out

    def _refuse_copies(self, stream: int | None, allow_copy: bool) -> None:
        if stream is not None:
            raise PoseGenError("stream: all arrays lie in the host's memory; leave it out")
        if not allow_copy and self.choice.backend.on_gpu:
            raise PoseGenError(
                f"masks: lie in the host's memory, and {self.choice.backend.value} computes on a "
                f"GPU; give masks and out there, {NO_COPY}"
            )

    def _keyed(self, conditions: dict[str, Images]) -> list[tuple[bytes, dict[str, Images]]]:
        """Conditions of each row, for `generate_keyed`."""
        rows = max((len(images) for images in conditions.values()), default=0)
        by_row = [
            {name: images[row % len(images)] for name, images in conditions.items()}
            for row in range(rows)
        ]
        return [(content_key(list(images.values())), images) for images in by_row]

    def generate_keyed(
        self,
        masks: Images,
        conditions: Sequence[tuple[bytes, Mapping[str, Images]]],
        viewpoint: npt.NDArray[Any] | None = None,
        out: Images | None = None,
    ) -> Images:
        """`generate` where it is known which conditions are the same.

        `masks`: uint8 [N, H, W] in {0, 255}. `conditions`: (key, uint8 [H, W, 3] by name), one for
        all masks or one each, none for a bundle without; equal keys must mean equal images, which
        are not looked at where those of their key were encoded before. `viewpoint` as in
        `generate`. `out`: uint8 [N, H, W, 3], C-contiguous.
        """
        count = len(masks)
        of_masks: Feeds = {"mask": masks}
        if self.bundle.takes_viewpoint:
            of_masks["viewpoint"] = check_viewpoint(viewpoint, count)
        step = self._step
        if 0 < count <= step:
            return self._run(of_masks, self._encoded(conditions), out)
        images = np.empty((count, *self.image_size, 3), np.uint8) if out is None else out
        for start in range(0, count, step):
            rows = slice(start, min(start + step, count))
            chunk = conditions if len(conditions) <= 1 else conditions[rows]
            feeds = {name: array[rows] for name, array in of_masks.items()}
            self._run(feeds, self._encoded(chunk), images[rows])
        return images

    def check_conditions(self, given: Mapping[str, Any], count: int) -> dict[str, Any]:
        """Every condition the bundle takes, uint8 [1 or N, H, W, 3]."""
        taken = [spec.name for spec in self.bundle.manifest.inputs]
        for name, array in given.items():
            if array is not None and name not in taken:
                raise PoseGenError(f"{name}: this bundle ({self._label}) takes none; leave it out")
        checked = {}
        for name in self.bundle.conditions:
            array = given.get(name)
            if array is None:
                checked[name] = self.default(name)[None]
            else:
                checked[name] = check_images(name, array, self.image_size, count)
        return checked

    def default(self, name: str) -> Images:
        """The bundle's own image for the condition `name`, uint8 [H, W, 3], read-only."""
        if name not in self._defaults:
            relative = self.bundle.manifest.defaults.get(name)
            if relative is None:
                raise PoseGenError(
                    f"{name}: this bundle ({self._label}) needs one and has no default; name one"
                )
            image = read_resized_rgb(self.bundle.path(relative), self.image_size)
            image.flags.writeable = False  # every caller has the same array
            self._defaults[name] = image
        return self._defaults[name]

    @property
    def graphs(self) -> list[str]:
        """The graphs that `generate` runs; the last makes the images."""
        return ["conditions", "generator_cached"] if self.bundle.conditions else ["generator"]

    @property
    def _graph(self) -> str:
        return self.graphs[-1]

    @property
    def _step(self) -> int:
        """Rows in one call of the backend."""
        return self.bundle.manifest.max_batch * self.backend(self._graph).batches

    def _run(self, feeds: Feeds, kept: list[Kept], out: Images | None) -> Images:
        places = None if out is None else {"image": out}
        images = self.backend(self._graph).run(feeds, kept, places)["image"]
        expected = (len(feeds["mask"]), *self.image_size, 3)
        if images.shape != expected or images.dtype != np.uint8:
            raise PoseGenError(
                f"{self.bundle.root}: the graph {self._graph} makes {images.dtype} {images.shape} "
                f"instead of uint8 {expected}; export the bundle again"
            )
        return images

    def encoded(self, conditions: dict[str, Images]) -> list[Kept]:
        """Conditions of `check_conditions`, encoded: one for all rows, or one each."""
        return self._encoded(self._keyed(conditions))

    def _encoded(self, conditions: Sequence[tuple[bytes, Mapping[str, Images]]]) -> list[Kept]:
        """Encoded conditions: one for all rows where they share them, else one each; none of
        none."""
        found: dict[bytes, Kept] = {}
        for key, images in conditions:
            if key not in found:
                found[key] = self._encode(key, images)
        if len(found) == 1:
            return list(found.values())
        return [found[key] for key, _ in conditions]

    def _encode(self, key: bytes, images: Mapping[str, Images]) -> Kept:
        encoded = self._cache.get(key)
        if encoded is None:
            feeds = {name: np.ascontiguousarray(image[None]) for name, image in images.items()}
            encoded = self.backend(self._graph).keep(self.backend("conditions").run(feeds))
            self._cache.put(key, encoded)
        return encoded

    @property
    def _label(self) -> str:
        return f"{self.bundle.manifest.name}, {self.bundle.manifest.variant}"


def load_bundle(path: str | Path | None = None) -> Bundle:
    """The bundle at `path`, or the one that ships with the package."""
    if path is None and not SHIPPED_BUNDLE.is_dir():
        raise PoseGenError("this installation ships no bundle; name one with --bundle")
    return Bundle.load(SHIPPED_BUNDLE if path is None else path)
