"""Judges: small networks that look at a picture and say where the object is and where it heads.

A judge is a folder with ``judge.json`` and one ONNX graph, uint8 in and everything inside. It is
data, like a bundle: JSON and ONNX, no pickle.
"""

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, Literal

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from posegen_runtime.backends.onnx import OnnxBackend
from posegen_runtime.bundle import sha256_of
from posegen_runtime.bundle_checks import check_external
from posegen_runtime.errors import PoseGenError
from posegen_runtime.manifest import Side
from posegen_runtime.onnxfile import read_onnx
from posegen_runtime.paths import read_bytes
from posegen_runtime.records import read_record

SCHEMA = 1
MANIFEST = "judge.json"
SHIPPED_JUDGES = Path(__file__).parent / "models" / "judges"

Pixels = npt.NDArray[np.uint8]
Kind = Literal["segmenter", "heading", "outline"]
_PIECE = 32


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`judge.json`.

    segmenter: image uint8 [N, H, W, 3] → mask uint8 [N, H, W], 255 × probability of the object.
    heading: image → heading float32 [N, 2], unit (cos, sin) of the azimuth of the camera as the
    object sees it (0°: in front of it, 90°: at its left). outline: the same from a mask
    uint8 [N, H, W], values above 127 being the object.
    """

    schema: int
    kind: Kind
    image_size: Side
    """Height and width in pixels."""
    file: str
    sha256: str
    figures: dict[str, float]
    """Measured on renders that training never saw. segmenter: iou (the mean) and iou_p05 (the 5th
    percentile). heading, outline: median_deg and share_over_90. Those of the same renders with
    blur, noise and other colours end in ``_degraded``."""
    parity: dict[str, float] = {}
    """max_difference from PyTorch at export: levels of the segmenter, degrees of the others."""
    lineage: dict[str, Any] = {}


class Judge:
    """A judge whose graph was checked against its hash."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self.manifest = manifest

    @property
    def graph(self) -> Path:
        return self.root / self.manifest.file


def shipped_judges() -> Path:
    """The folder of the judges that come with the package: segmenter, heading, outline."""
    return SHIPPED_JUDGES


def load_judge(path: str | Path) -> Judge:
    """Read a judge's folder.

    Raises `PoseGenError` when it is no judge, of a newer schema or an unknown kind, or when its
    graph is missing, changed, or would load other files.
    """
    root = Path(path)
    file = root / MANIFEST
    if not file.is_file():
        raise PoseGenError(
            f"{root}: no judge, {MANIFEST} is missing; name a folder made by `posegen-export judge`"
        )
    manifest = read_record(read_bytes(file), Manifest, SCHEMA, file, "judge", "export it again")
    if PurePath(manifest.file).name != manifest.file:
        raise PoseGenError(f"{file}: {manifest.file} points outside the judge's folder")
    judge = Judge(root, manifest)
    if not judge.graph.is_file():
        raise PoseGenError(f"{judge.graph}: missing from the judge; copy or export it again")
    if sha256_of(judge.graph) != manifest.sha256:
        raise PoseGenError(
            f"{judge.graph}: changed since export (sha256 differs); copy or export it again"
        )
    check_external(judge.graph, read_onnx(judge.graph).external, root, ())
    return judge


class Segmenter:
    """Says where the object is. `threads` is the number of threads in one call."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        self.judge = load_judge(path)
        _expect(self.judge, "segmenter")
        self._backend = OnnxBackend(self.judge.graph, threads=threads)

    @property
    def manifest(self) -> Manifest:
        return self.judge.manifest

    @property
    def engine(self) -> str:
        """What runs it: engine, version and where."""
        return self._backend.description

    def masks(self, images: Pixels) -> Pixels:
        """RGB uint8 [N, S, S, 3] → silhouettes uint8 [N, H, W] in {0, 255} at `image_size`.

        Images of another size are resized, by area where they are larger.
        """
        size = self.manifest.image_size

        def found(piece: Pixels) -> Pixels:
            return self._backend.run({"image": resized(piece, size)})["mask"]

        probable = _in_pieces(images, found, np.zeros((0, size, size), np.uint8))
        return np.where(probable > 127, 255, 0).astype(np.uint8)


class Heading:
    """Says where the object heads, from images (kind heading) or silhouettes (kind outline)."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        self.judge = load_judge(path)
        _expect(self.judge, "heading", "outline")
        self._backend = OnnxBackend(self.judge.graph, threads=threads)

    @property
    def manifest(self) -> Manifest:
        return self.judge.manifest

    def angles(self, pictures: Pixels) -> npt.NDArray[np.float64]:
        """RGB uint8 [N, S, S, 3], or for an outline masks uint8 [N, S, S], → azimuths [N], radians.

        Pictures of another size are resized by area; a mask's pixel counts when more than half
        of it is covered.
        """
        size, sees_masks = self.manifest.image_size, self.manifest.kind == "outline"
        if pictures.ndim != (3 if sees_masks else 4):
            raise ValueError(f"{self.manifest.kind}: pictures of shape {pictures.shape}")

        def found(piece: Pixels) -> npt.NDArray[np.float64]:
            fitted = resized(piece, size)
            feeds = {"mask": _binary(fitted)} if sees_masks else {"image": fitted}
            vector = self._backend.run(feeds)["heading"].astype(np.float64)
            return np.arctan2(vector[:, 1], vector[:, 0])

        return _in_pieces(pictures, found, np.zeros(0))


def resized(pictures: Pixels, size: int) -> Pixels:
    """uint8 [N, S, S] or [N, S, S, 3] → the same at `size` pixels, by area; enlarged, bilinear."""
    if pictures.shape[1:3] == (size, size):
        return np.ascontiguousarray(pictures)
    is_smaller = pictures.shape[1] < size
    how = cv2.INTER_LINEAR if is_smaller else cv2.INTER_AREA
    fitted = [cv2.resize(picture, (size, size), interpolation=how) for picture in pictures]
    return np.stack(fitted).astype(np.uint8)


def _binary(masks: Pixels) -> Pixels:
    return np.where(masks > 127, 255, 0).astype(np.uint8)


def _in_pieces(
    pictures: Pixels, say: Callable[[Pixels], npt.NDArray[Any]], nothing: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """`say` for some pictures at a time, so that memory does not grow with their number."""
    pieces = [say(pictures[i : i + _PIECE]) for i in range(0, len(pictures), _PIECE)]
    return np.concatenate([nothing, *pieces])


def _expect(judge: Judge, *kinds: Kind) -> None:
    held = judge.manifest.kind
    if held not in kinds:
        raise PoseGenError(
            f"{judge.root}: is a judge of kind {held}, expected {' or '.join(kinds)}; "
            "name another folder"
        )
