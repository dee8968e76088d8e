"""Trees and hedges; each paints itself."""

from collections.abc import Iterator

import cv2
import numpy as np

from posegen.render import foliage
from posegen.render.canvas import Canvas, upwards
from posegen.render.model import Floats
from posegen.render.things import Thing


class Tree(Thing):
    """`kind`: index of `foliage.KINDS`."""

    def _parts(self) -> tuple[float, float]:
        """Height of the trunk below the crown, and its width."""
        low = {"bush": 0.0, "cone": 0.06, "column": 0.1, "tall": 0.22}
        return low.get(foliage.KINDS[self.kind], 0.3) * self.height, 0.03 + 0.025 * self.height

    def solids(self) -> Iterator[tuple[Floats, Floats]]:
        trunk, wide = self._parts()
        turn = np.arange(8) * np.pi / 4
        ring = np.c_[np.cos(turn) * self.half_x, np.sin(turn) * self.half_x, np.zeros(8)] * 0.75
        low = self.middle + upwards(max(trunk, 0.05))
        yield low + ring, self.middle + ring * 0.6 + upwards(0.95 * self.height)
        thin = ring / self.half_x * wide
        yield self.middle + thin * 2, self.middle + thin + upwards(trunk + 0.1)

    def paint(self, canvas: Canvas) -> None:
        trunk, wide = self._parts()
        light = canvas.light(np.array([0.0, 0.0, 0.55]))
        if trunk > 0:
            across = canvas.R[0] * wide
            low, high = self.middle, self.middle + upwards(trunk + 0.25 * self.height)
            stem = np.stack([low - across, low + across, high + across * 0.6, high - across * 0.6])
            canvas.polygon(stem, np.array((0.25, 0.20, 0.16)), 0.7 * light)
        picture = foliage.crown(self.kind, self.seed % foliage.VARIANTS)
        if self.seed // 7 % 2:
            picture = np.ascontiguousarray(picture[:, ::-1])
        base = self.middle + upwards(trunk)
        canvas.sprite(
            base, (2 * self.half_x, self.height - trunk), picture, 1.9 * self.color * light
        )


class Hedge(Thing):
    """A trimmed box of leaves."""

    def paint(self, canvas: Canvas) -> None:
        start = self.seed % 300
        for corners, normal, length, _ in self.sides(canvas):
            wide, high = (int(np.clip(size * 72, 8, 400)) for size in (length, self.height))
            picture = foliage.hedge()[start : start + high, start : start + wide]
            rng = np.random.default_rng(self.seed)
            ragged = high * 0.09 * np.abs(rng.normal(0, 1, wide // 4 + 2))
            edge = cv2.resize(ragged[None].astype(np.float32), (wide, 1))[0]
            alpha = (np.arange(high)[:, None] > edge[None]).astype(np.uint8) * 255
            shaded = picture[..., 0] * np.linspace(1.04, 0.6, high, dtype=np.float32)[:, None]
            grey = shaded.astype(np.uint8)
            picture = np.asarray(cv2.merge([grey, grey, grey, alpha]), np.uint8)
            canvas.quad(corners, picture, 1.9 * self.color * canvas.light(normal))
        if canvas.eye[2] > self.height:
            top = self.foot() + upwards(0.96 * self.height)
            light = canvas.light(np.array([0, 0, 1.0]))
            canvas.quad(top, foliage.hedge()[:256, :256], 1.9 * self.color * light)
