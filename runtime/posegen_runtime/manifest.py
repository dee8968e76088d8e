"""What `bundle.json` holds."""

from typing import Annotated, Any

import msgspec

SCHEMA = 1
Side = Annotated[int, msgspec.Meta(ge=1, le=8192)]
"""Pixels."""


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One input or output of a graph. `shape` holds integers, "N" (batch) or "C" (1 or N)."""

    name: str
    dtype: str
    shape: list[int | str]
    meaning: str = ""
    required: bool = True


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """One ONNX file, relative to the bundle, with what it takes and returns."""

    path: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """One precision variant. `graphs` has "generator" and, where the variant takes conditions,
    "conditions" and "generator_cached". `parity` holds the figures measured at export."""

    precision: str
    graphs: dict[str, Graph]
    parity: dict[str, Any] = {}


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    sha256: str
    bytes: int


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """One golden input and the image that PyTorch made from it in float32: paths in the bundle."""

    mask: str
    image: str
    appearance: str | None = None
    background: str | None = None
    viewpoint: tuple[float, float, float] | None = None
    """Zeros where it was withheld; None where the model takes none."""

    @property
    def paths(self) -> list[str]:
        """The files it names."""
        named = (self.mask, self.image, self.appearance, self.background)
        return [path for path in named if path is not None]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle.json`."""

    schema: int
    name: str
    arch: str
    preset: str
    variant: str
    image_size: tuple[Side, Side]
    """(height, width) in pixels."""
    inputs: list[TensorSpec]
    """Inputs of the uncached generator, in order: mask, appearance, background, viewpoint."""
    max_batch: Annotated[int, msgspec.Meta(ge=1, le=1024)]
    precisions: list[Precision]
    golden: Annotated[list[Golden], msgspec.Meta(max_length=1024)]
    """A test reads them all at once."""
    defaults: dict[str, str]
    """Input name to the path of an image to use when the user names none."""
    files: dict[str, FileRecord]
    """Every file of the bundle except bundle.json."""
    mask_range: dict[str, tuple[float, float]] = {}
    """Smallest and largest value seen in training of: area, center_x, center_y, aspect
    (shares of the image; aspect is width / height of the silhouette's box)."""
    lineage: dict[str, Any] = {}
