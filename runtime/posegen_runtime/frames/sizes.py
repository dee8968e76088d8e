"""Whether backgrounds are frames of the masks' size, as far as the first ones tell."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb
from posegen_runtime.labels.background import AnnotatedSizes
from posegen_runtime.maskfile import read_mask_file
from posegen_runtime.sources import Source

Size = tuple[int, int]
"""(height, width) in pixels."""

LOOKED_AT = 8
"""Masks, backgrounds, and annotated backgrounds."""


def is_enlarged(given: Size, frame: Size) -> bool:
    """Whether an image of the size `given` cannot cover a frame as it is."""
    return given[0] < frame[0] or given[1] < frame[1]


def check_large_enough(source: Source, given: Size, frame: Size) -> None:
    """Raises `PoseGenError` where a background would have to be enlarged."""
    if is_enlarged(given, frame):
        raise PoseGenError(
            f"the background {source.name} is {given[1]}×{given[0]} pixels, smaller than the mask "
            f"of {frame[1]}×{frame[0]}; give frames of the masks' size"
        )


def check_sizes(
    masks: Sequence[Source], backgrounds: Sequence[Source], annotated: AnnotatedSizes | None
) -> None:
    """Raises `PoseGenError` where one of the first backgrounds is too small for all of the first
    masks, or is annotated at another size than its file's or that of all of these masks. What is
    found later, or cannot be read, costs its rows."""
    frames = list(_mask_sizes(masks))
    for source, size in _sizes(backgrounds[:LOOKED_AT]):
        if frames and all(is_enlarged(size, frame) for frame in frames):
            try:
                check_large_enough(source, size, frames[0])
            except PoseGenError as error:
                raise PoseGenError(f"--paste: {error}") from error
    if annotated is None:
        return
    known = (source for source in backgrounds if annotated.named(source.name))
    for source, size in _sizes(islice(known, LOOKED_AT)):
        annotated.check(source.name, size, "its file is")
        if frames and size not in frames:
            annotated.check(source.name, frames[0], "the mask is")


def _mask_sizes(masks: Sequence[Source]) -> Iterator[Size]:
    for source in masks[:LOOKED_AT]:
        try:
            height, width = read_mask_file(source.path).pixels.shape[:2]
        except PoseGenError:
            continue
        yield height, width


def _sizes(sources: Iterable[Source]) -> Iterator[tuple[Source, Size]]:
    for source in sources:
        try:
            height, width = read_rgb(source.path).shape[:2]
        except PoseGenError:
            continue
        yield source, (height, width)
