"""The part above the belt: windscreen, side windows between pillars, rear window, roof."""

import numpy as np
import numpy.typing as npt

from posegen.render.car_shapes import DARK, CarShape
from posegen.render.model import Finish, Floats, Part
from posegen.render.primitives import Color, loft, sheet

_CORNER = 0.13
"""Radius of the corners in plan."""
_EDGE = 0.90
"""Share of the cabin's height where the windows' frame turns into the roof."""
_BODY, _PILLAR, _GLASS, _STRIP = range(4)


class Cabin:
    """Rings in plan, from below the belt up to the middle of the roof. All rings have the same
    columns, so that pillars and windows are columns and rows of one surface."""

    def __init__(self, shape: CarShape) -> None:
        self.shape = shape
        self.base = shape.belt - 0.10
        self.tall = shape.height - self.base
        self.half = shape.width / 2 * (0.905 if shape.style != "van" else 0.93)
        self.glass_from = (shape.belt + 0.045 - self.base) / self.tall

    def _columns(self) -> tuple[Floats, npt.NDArray[np.int_]]:
        """Half a ring from the front's middle round the left to the rear's middle: a parameter
        0..1 front, 1..2 corner, 2..3 side, 3..4 corner, 4..5 rear, and the kind of each cell."""
        s, stops, kinds = self.shape, [0.0], []

        def run(until: float, steps: int, kind: int) -> None:
            stops.extend(np.linspace(stops[-1], until, steps + 1)[1:])
            kinds.extend([kind] * steps)

        run(0.94, 9, _GLASS)
        run(1.0, 1, _PILLAR)
        run(2.0, 6, _PILLAR)
        gap, start = 0.018, 2.03
        run(start, 1, _PILLAR)
        ends = [*s.pillars, s.last_window]
        for number, end in enumerate(ends):
            last = number == len(ends) - 1
            kind = _BODY if s.panels and number > 0 else _GLASS
            run(2 + end - (0 if last else gap), 8, kind)
            if not last:
                run(2 + end + gap, 2, kind if kind == _BODY else _PILLAR)
        run(3.0, 6, _BODY)
        run(4.0, 6, _BODY)
        run(4.12, 2, _BODY)
        run(5.0, 9, _GLASS)
        return np.array(stops), np.array(kinds)

    def ring(self, stops: Floats, share: float) -> Floats:
        """Half a ring [C, 3] at a share of the height up to the roof's edge."""
        s, t = self.shape, min(share / _EDGE, 1.0)
        fi, ri = s.screen_rake * (0.92 * t + 0.08 * t**2), s.back_rake * (0.9 * t + 0.1 * t**3)
        half = self.half - s.tumblehome * (0.75 * t + 0.25 * t**2)
        bow, back_bow = 0.16 - 0.03 * t, 0.09
        front, rear = s.screen_base + bow, s.back_base - back_bow * (s.bed is None)
        if s.bed is not None:
            back_bow = 0.03
        x, y = np.zeros(len(stops)), np.zeros(len(stops))
        c = _CORNER
        on = stops <= 1
        y[on], x[on] = (half - c) * stops[on], front - fi - bow * stops[on] ** 2
        on = (stops > 1) & (stops < 2)
        turn = (stops[on] - 1) * np.pi / 2
        y[on], x[on] = half - c + c * np.sin(turn), front - fi - bow - 1.3 * c * (1 - np.cos(turn))
        on = (stops >= 2) & (stops <= 3)
        u = stops[on] - 2
        start, stop = front - bow - 1.3 * c, rear + back_bow + 1.3 * c
        first = s.pillars[0] if s.pillars else 0.62
        last = s.pillars[-1] if s.pillars else 0.45
        x[on] = start + (stop - start) * u - fi * np.clip(1 - u / first, 0, 1)
        x[on] += ri * np.clip((u - last) / (1 - last), 0, 1)
        y[on] = half - 0.035 * (2 * u - 1) ** 2 + 0.035 * 0
        edge = half - 0.035
        on = (stops > 3) & (stops < 4)
        turn = (stops[on] - 3) * np.pi / 2
        y[on] = edge - c + c * np.cos(turn)
        x[on] = stop + ri - 1.3 * c * np.sin(turn)
        on = stops >= 4
        u = 5 - stops[on]
        y[on], x[on] = (edge - c) * u, rear + ri + back_bow * u**2
        # The front corner ends where the bent side begins.
        y[(stops <= 2)] *= edge / half
        rise = s.wedge * 0.5 * (0.5 - x / s.length) * (1 - t)
        middle, reach = (front - fi + rear + ri) / 2, (front - fi - rear - ri) / 2
        rise = rise - s.arc * t**2 * ((x - middle) / reach) ** 2
        return np.stack([x, y, np.full(len(x), self.base + share * self.tall) + rise], axis=1)

    def surface(self) -> tuple[Floats, npt.NDArray[np.int_], npt.NDArray[np.int_]]:
        """Half the surface [R, C, 3], the kind of each row of cells, and of each column."""
        stops, kinds = self._columns()
        low, strip = self.glass_from, 0.035 / self.tall
        shares = [0.0, low - strip - 0.001, low - strip, low,
                  *np.linspace(low, 0.84, 9)[1:], 0.87, _EDGE]  # fmt: skip
        rows = [self.ring(stops, share) for share in shares]
        row_kinds = [_BODY, _BODY, _STRIP] + [_GLASS] * 8 + [_BODY, _BODY]
        edge, s, top = rows[-1], self.shape, self.shape.height
        middle = np.array([(edge[0, 0] + edge[-1, 0]) / 2, 0, 0])
        for u in np.linspace(0, 1, 12)[1:]:
            w = u**2
            ring = middle + (1 - w) * (edge - middle)
            rise = (1 - (1 - w) ** 2.6) ** (1 / 2.6)
            along = (ring[:, 0] - middle[0]) / (edge[0, 0] - middle[0])
            ring[:, 2] = top - s.arc * along**2 - (1 - _EDGE) * self.tall * (1 - rise)
            rows.append(ring)
        row_kinds += [4] * 11
        return np.stack(rows), np.array(row_kinds), kinds

    def skin(self) -> list[Part]:
        s = self.shape
        left, rows, columns = self.surface()
        points = np.concatenate([left, left[:, -2:0:-1] * (1, -1, 1)], axis=1)
        # An all-round band of windows: a row of glass is glass only where its column is, too.
        kinds = np.zeros((len(rows), len(columns)), int)
        kinds[rows == _GLASS] = columns
        side = (columns == _GLASS) | (columns == _PILLAR)
        strip = np.where(side, _STRIP, _BODY)
        strip[columns == _BODY] = _BODY
        kinds[rows == _STRIP] = strip
        kinds[rows == 4] = 4
        full = np.concatenate([kinds, kinds[:, ::-1]], axis=1)
        bright = s.bright_trim
        looks: dict[int, tuple[Color, Finish]] = {
            _BODY: (s.paint, s.finish),
            _PILLAR: (DARK, Finish.PAINT),
            _GLASS: (s.glass, Finish.GLASS),
            _STRIP: ((205, 207, 210), Finish.CHROME) if bright else (DARK, Finish.MATTE),
            4: (s.roof, s.finish if s.roof == s.paint else Finish.PAINT),
        }
        parts = []
        # Columns run leftwards at the front, rows upwards: outside is columns x rows.
        for kind, (color, finish) in looks.items():
            if (full == kind).any():
                parts.append(sheet(points[::-1], (full == kind)[::-1], color, finish, closed=True))
        if s.rails:
            parts += self._rails(left[-9])
        return parts

    def _rails(self, ring: Floats) -> list[Part]:
        """Tubes along the roof's edges."""
        along = np.linspace(ring[:, 0].max() - 0.55, ring[:, 0].min() + 0.35, 14)
        order = np.argsort(ring[:, 0])
        y = np.interp(along, ring[order, 0], ring[order, 1])
        y = np.minimum(y, np.median(y)) * 0.96
        lift = 0.055 * np.minimum(1, 4 * np.sin(np.linspace(0.02, np.pi - 0.02, 14)))
        z = self.shape.height - 0.045 - self.shape.arc * np.linspace(-1, 1, 14) ** 2 + lift
        turn = np.linspace(0, 2 * np.pi, 7)[:-1]
        bright = (190, 192, 196) if self.shape.bright_trim else DARK
        finish = Finish.CHROME if self.shape.bright_trim else Finish.MATTE
        parts = []
        for sign in (1, -1):
            rings = np.stack(
                [np.c_[np.full(6, a), sign * b + 0.02 * np.cos(turn), c + 0.018 * np.sin(turn)]
                 for a, b, c in zip(along, y, z, strict=True)]
            )  # fmt: skip
            parts.append(loft(rings, bright, finish))
        return parts
