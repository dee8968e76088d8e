"""`--background-labels FILE`: what the frames showed before objects were pasted into them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from posegen_runtime.errors import PoseGenError
from posegen_runtime.labels.coco import CocoMask
from posegen_runtime.paths import read_bytes


class _Image(msgspec.Struct):
    id: int
    file_name: str
    width: int
    height: int


class _Category(msgspec.Struct):
    id: int
    name: str


class _Rle(msgspec.Struct):
    size: tuple[int, int]
    counts: str | list[int]


class _Annotation(msgspec.Struct):
    id: int
    image_id: int
    category_id: int
    segmentation: list[list[float]] | _Rle | None = None
    iscrowd: int = 0


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


class Kept(NamedTuple):
    """An annotation of a frame, without what new objects hide of it."""

    mask: CocoMask
    category: str
    iscrowd: int


class _Known(NamedTuple):
    rle: dict[str, Any]
    category: str
    iscrowd: int


class AnnotatedSizes(NamedTuple):
    """(height, width) that images are annotated at, by their file names."""

    file: Path
    sizes: dict[str, tuple[int, int]]

    def named(self, background: str) -> str | None:
        """The image that a background is: the one of its path below the folder, else the one that
        is listed without any folder by its file name; None: it is not annotated."""
        if background in self.sizes:
            return background
        bare = background.rpartition("/")[2]
        return bare if bare in self.sizes else None

    def check_names(self, backgrounds: Iterable[str]) -> None:
        """Raises `PoseGenError` where one image would be two backgrounds."""
        taken: dict[str, str] = {}
        for background in backgrounds:
            name = self.named(background)
            if name is None:
                continue
            first = taken.setdefault(name, background)
            if first != background:
                raise PoseGenError(
                    f"--background-labels {self.file}: its image {name} may be the background "
                    f"{first} or {background}; list both by their paths below the folder"
                )

    def check(self, background: str, size: tuple[int, int], what: str) -> None:
        """Raises `PoseGenError` where a background is annotated at another size than `size` =
        (height, width), which is that of `what`."""
        name = self.named(background)
        height, width = self.sizes[name] if name else size
        if (height, width) != size:
            raise PoseGenError(
                f"--background-labels {self.file}: {background} is annotated at {width}×{height} "
                f"pixels, {what} {size[1]}×{size[0]}; give annotations of the frames that are "
                "pasted into"
            )


class BackgroundLabels:
    """COCO annotations by the file names of the backgrounds. All are held, as run lengths.

    Raises `PoseGenError` naming the file when it is no COCO file of instances with masks, or has
    one that does not fit its image.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        data = read_bytes(file)
        self.digest = hashlib.sha256(data).hexdigest()[:16]
        try:
            found = msgspec.json.decode(data, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PoseGenError(
                f"--background-labels {file}: no COCO file of instances ({error})"
            ) from error
        self.categories = _by_id(file, found.categories)
        sizes: dict[str, tuple[int, int]] = {}
        self._known: dict[str, list[_Known]] = {}
        images: dict[int, _Image] = {}
        for image in found.images:
            name = image.file_name.replace("\\", "/")
            if image.id in images or name in sizes:
                raise PoseGenError(
                    f"--background-labels {file}: the image {image.id}, {name}, comes twice"
                )
            images[image.id] = image
            sizes[name] = image.height, image.width
        self.sizes = AnnotatedSizes(file, sizes)
        for one in found.annotations:
            image_, category = images.get(one.image_id), self.categories.get(one.category_id)
            if image_ is None or category is None:
                what = "image" if image_ is None else "category"
                raise PoseGenError(
                    f"--background-labels {file}: annotation {one.id} is of no {what} in it"
                )
            rle = self._rle(one, image_.height, image_.width)
            name = image_.file_name.replace("\\", "/")
            self._known.setdefault(name, []).append(_Known(rle, category, one.iscrowd))

    def remaining(self, background: str, hidden: Iterable[CocoMask]) -> Iterator[Kept]:
        """Its annotations without the pixels of `hidden`; none of what that hides whole."""
        from pycocotools import mask as coco

        known = self._known.get(self.sizes.named(background) or "", [])
        if not known:
            return
        above = coco.merge([{"size": list(m.size), "counts": m.counts.encode()} for m in hidden])
        for one in known:
            rle = one.rle
            if coco.area(coco.merge([rle, above], intersect=True)):
                both = coco.decode([rle, above])
                left = both[:, :, 0] & ~both[:, :, 1] & 1
                rle = coco.encode(np.asfortranarray(left, dtype=np.uint8))
            if area := int(coco.area(rle)):
                x, y, width, height = (float(value) for value in coco.toBbox(rle))
                size = int(rle["size"][0]), int(rle["size"][1])
                mask = CocoMask(rle["counts"].decode(), size, area, (x, y, width, height))
                yield Kept(mask, one.category, one.iscrowd)

    def _rle(self, one: _Annotation, height: int, width: int) -> dict[str, Any]:
        from pycocotools import mask as coco

        where = f"--background-labels {self._file}: annotation {one.id}"
        shape = one.segmentation
        if not shape:
            raise PoseGenError(f"{where} has no segmentation, so nothing can be cut out of it")
        if isinstance(shape, _Rle):
            if shape.size != (height, width):
                raise PoseGenError(
                    f"{where} is {shape.size[1]}×{shape.size[0]} pixels, its image {width}×{height}"
                )
            counts = _counts(shape.counts) if isinstance(shape.counts, str) else shape.counts
            if sum(counts) != height * width or min(counts, default=0) < 0:
                raise PoseGenError(f"{where}: its counts are not those of its image's pixels")
            entry = {"size": [height, width], "counts": counts}
            rle = coco.frPyObjects(entry, height, width)
        elif any(len(polygon) < 6 or len(polygon) % 2 for polygon in shape):
            raise PoseGenError(f"{where}: a polygon needs three points or more, x before y")
        else:
            rle = coco.merge(coco.frPyObjects(shape, height, width))
        return rle


def _counts(text: str) -> list[int]:
    """The run lengths of a compressed mask, empty where it is none: pycocotools trusts them."""
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            return []
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return [] if shift else counts


def _by_id(file: Path, categories: Iterable[_Category]) -> dict[int, str]:
    named: dict[int, str] = {}
    for one in categories:
        if one.id in named or one.name in named.values():
            raise PoseGenError(
                f"--background-labels {file}: the category {one.id}, {one.name}, comes twice"
            )
        named[one.id] = one.name
    return named


def merged(ours: Mapping[str, int], theirs: Mapping[int, str]) -> dict[str, int]:
    """All categories, name to COCO id. Ours keep their ids, and so do theirs where those are free;
    others follow behind the highest. A name in both is one category, with our id."""
    found = dict(ours)
    late = []
    for number, name in sorted(theirs.items()):
        if name in found:
            continue
        if number < 1 or number in found.values():
            late.append(name)
        else:
            found[name] = number
    highest = max([*found.values(), *theirs], default=0)
    return found | {name: highest + n for n, name in enumerate(late, 1)}
