"""The object that is rendered: coloured triangles in parts, each with a surface finish."""

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class Finish(str, Enum):
    """How a part answers light."""

    PAINT = "paint"
    METALLIC = "metallic"
    CHROME = "chrome"
    GLASS = "glass"
    MATTE = "matte"
    LAMP = "lamp"


@dataclass(frozen=True)
class Part:
    """Triangles of one finish: vertices float64 [V, 3] in metres, faces int32 [F, 3],
    colors uint8 [V, 3] RGB, one for each vertex."""

    vertices: Floats
    faces: Ints
    colors: Bytes
    finish: Finish = Finish.MATTE


def merge(parts: list[Part], finish: Finish) -> Part:
    """All parts of one finish as one."""
    offsets = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    return Part(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate(
            [part.faces + offset for part, offset in zip(parts, offsets, strict=True)]
        ).astype(np.int32),
        np.concatenate([part.colors for part in parts]),
        finish,
    )


@dataclass(frozen=True)
class Model:
    """An object in its model frame: metres, x forward, y left, z up, origin at the centre of its
    axis-aligned box (as BOP has it). It stands on the ground at z = -height / 2."""

    parts: tuple[Part, ...]

    @classmethod
    def centred(cls, parts: list[Part]) -> "Model":
        """Merge parts by finish and move the box centre to the origin."""
        points = np.concatenate([part.vertices for part in parts])
        centre = (points.min(axis=0) + points.max(axis=0)) / 2
        merged = [
            merge(same, finish)
            for finish in Finish
            if (same := [part for part in parts if part.finish is finish])
        ]
        return cls(tuple(replace(part, vertices=part.vertices - centre) for part in merged))

    @property
    def whole(self) -> Part:
        """All triangles as one part."""
        return merge(list(self.parts), Finish.MATTE)

    @property
    def size(self) -> Floats:
        """Extent of the box along x, y, z in metres."""
        points = np.concatenate([part.vertices for part in self.parts])
        return points.max(axis=0) - points.min(axis=0)
