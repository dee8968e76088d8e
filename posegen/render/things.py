"""What people put up along a street: buildings, fences, furniture; each paints itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from posegen.render import facades, textures
from posegen.render.canvas import Canvas, upwards
from posegen.render.model import Bytes, Floats

_FACES = (  # signs of a box's corners along x and y, and its outward normals
    ((-1, -1), (1, -1), (0, -1)), ((1, -1), (1, 1), (1, 0)), ((1, 1), (-1, 1), (0, 1)),
    ((-1, 1), (-1, -1), (-1, 0)),
)  # fmt: skip


@dataclass(frozen=True)
class Thing(ABC):
    """A box of ground that something stands on: middle, half sizes along x and y, height; metres,
    street frame. `color` RGB 0..1. `seed` varies the details."""

    x: float
    y: float
    half_x: float
    half_y: float
    height: float
    color: Floats
    kind: int
    seed: int

    @property
    def middle(self) -> Floats:
        return np.array([self.x, self.y, 0.0])

    def foot(self, grow: float = 0.0) -> Floats:
        x, y = self.half_x + grow, self.half_y + grow
        return self.middle + np.array([(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)])

    def solids(self) -> Iterator[tuple[Floats, Floats]]:
        """Feet and tops of what casts a shadow."""
        foot = self.foot()
        yield foot, foot + upwards(self.height)

    @abstractmethod
    def paint(self, canvas: Canvas) -> None:
        """Draw it over what stands further away."""

    def sides(self, canvas: Canvas) -> Iterator[tuple[Floats, Floats, float, bool]]:
        """Visible walls: corners [4, 3], normal, length, whether along the street."""
        for first, second, normal in _FACES:
            ends = self.middle + np.array(
                [(sx * self.half_x, sy * self.half_y, 0.0) for sx, sy in (first, second)]
            )
            outward = np.array([*normal, 0.0])
            if (canvas.eye - ends[0]) @ outward > 0:
                corners = np.concatenate([ends, ends[::-1] + upwards(self.height)])
                if canvas.sees(corners):
                    length = float(np.linalg.norm(ends[1] - ends[0]))
                    yield corners, outward, length, normal[0] == 0


def boxes(things: tuple[Thing, ...]) -> Floats:
    """x, y, half_x, half_y and height of things: [5, N]."""
    return np.reshape(
        [(thing.x, thing.y, thing.half_x, thing.half_y, thing.height) for thing in things], (-1, 5)
    ).T


def corners(things: tuple[Thing, ...]) -> Floats:
    """Corners of things' boxes, first the feet: [N, 8, 3]."""
    x, y, half_x, half_y, height = boxes(things)
    return np.array(
        [
            (x + i * half_x, y + j * half_y, z)
            for z in (np.zeros_like(height), height)
            for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
    ).transpose(2, 0, 1)


class Building(Thing):
    """`kind`: style of the wall; low ones of some seeds have a gable roof."""

    def paint(self, canvas: Canvas) -> None:
        rng = np.random.default_rng(self.seed)
        rows = max(round(self.height / facades.METRES), 1)
        gable = self.height < 8 and self.seed % 3 > 0
        roof = np.array([(0.42, 0.22, 0.16), (0.30, 0.29, 0.29), (0.46, 0.32, 0.22)])
        roof_color = roof[self.seed % 3] * rng.uniform(0.8, 1.2)
        ridge = self.middle + np.array([(-self.half_x, 0, 0), (self.half_x, 0, 0)])
        ridge[:, 2] = self.height + 0.55 * self.half_y
        for corners, normal, length, along in self.sides(canvas):
            columns = max(round(length / facades.METRES), 1)
            picture = facades.facade(rng, self.kind, columns, rows, self.color, not along)
            canvas.quad(corners, picture, canvas.light(normal))
            if gable and not along:
                peak = ridge[int(normal[0] > 0)]
                face = np.stack([corners[3], corners[2], peak])
                canvas.polygon(face, self.color, canvas.light(normal))
        if gable:
            for side in (-1, 1):
                eaves = self.middle + np.array(
                    [(-self.half_x - 0.3, side * (self.half_y + 0.3), self.height - 0.15),
                     (self.half_x + 0.3, side * (self.half_y + 0.3), self.height - 0.15)]
                )  # fmt: skip
                normal = np.array([0, side * 0.48, 0.88])
                if (canvas.eye - eaves[0]) @ normal > 0:
                    corners = np.stack([eaves[0], eaves[1], ridge[1], ridge[0]])
                    slabs = textures.tile("slabs")[:160, :320]
                    tiles = textures.toned(slabs, textures.tones(roof_color))
                    canvas.quad(corners, tiles, canvas.light(normal))
        elif canvas.eye[2] > self.height:
            top = self.foot() + upwards(self.height)
            canvas.polygon(top, roof_color, canvas.light(np.array([0, 0, 1.0])))


class Wall(Thing):
    """`kind` 0: masonry, 1: boards with gaps, 2: railings."""

    def paint(self, canvas: Canvas) -> None:
        for corners, normal, length, _ in self.sides(canvas):
            picture = _wall(self.kind, length, self.height)
            tint = canvas.light(normal) * self.color / 0.62
            canvas.quad(corners, picture, tint)


class Block(Thing):
    """A plain box: a bin, a crate, a kiosk; `kind` 1 has a lid of another shade."""

    def paint(self, canvas: Canvas) -> None:
        for corners, normal, _, _ in self.sides(canvas):
            canvas.polygon(corners, self.color, canvas.light(normal))
            if self.kind:
                lid = corners.copy()
                lid[:2, 2] = 0.86 * self.height
                canvas.polygon(lid, 0.6 * self.color, canvas.light(normal))
        if canvas.eye[2] > self.height:
            top = self.foot() + upwards(self.height)
            canvas.polygon(top, 0.8 * self.color, canvas.light(np.array([0, 0, 1.0])))


class Post(Thing):
    """`kind` 0: bollard, 1: lamp, 2: sign."""

    def paint(self, canvas: Canvas) -> None:
        light = canvas.light(np.array([0.0, 0.0, 0.4]))
        across, up = canvas.R[0] * self.half_x, np.array([0, 0, self.height])
        foot = self.middle
        canvas.polygon(
            np.stack([foot - across, foot + across, foot + across + up, foot - across + up]),
            self.color, light,
        )  # fmt: skip
        head, side = foot + up, canvas.R[0]
        if self.kind == 1:
            arm = np.array([0, -np.sign(self.y) * 1.2, 0.0])
            lamp = [head, head + arm, head + arm + upwards(0.14), head + upwards(0.14)]
            canvas.polygon(np.stack(lamp), self.color, light)
        elif self.kind == 2:
            sign = np.array([(0.75, 0.1, 0.1), (0.1, 0.25, 0.65), (0.9, 0.9, 0.88)])
            turn = np.arange(12) * np.pi / 6
            disc = head + 0.3 * (np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * (0, 0, 1.0))
            canvas.polygon(disc, sign[self.seed % 3], light)
            canvas.polygon(head + 0.6 * (disc - head), sign[(self.seed + 2) % 3], light)


def _wall(kind: int, length: float, height: float) -> Bytes:
    wide, high = (int(np.clip(size * 64, 4, 500)) for size in (length, height))
    name = "concrete" if kind == 0 else "asphalt"
    grey = textures.tile(name)[:high, :wide]
    image = np.repeat(grey[..., None], 4, axis=2)
    image[..., 3] = 255
    x = np.arange(wide)
    if kind == 1:
        image[:, x % 9 == 0, :3] = image[:, x % 9 == 0, :3] // 2
    elif kind == 2:
        bars = (
            (x % 8 < 2)[None]
            | (np.arange(high) < 4)[:, None]
            | (np.arange(high) > high - 9)[:, None]
        )
        image[..., 3] = np.where(bars, 255, 0)
    else:
        image[:6, :, :3] = np.minimum(image[:6, :, :3] + 40.0, 255).astype(np.uint8)
    return image
