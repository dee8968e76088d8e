"""What is fixed to the front and rear: lamps, grille, bumpers, plates, exhaust.

Most are patches projected on the body, so that they follow its curves and cannot hang in the air.
Front and rear, left and right differ: the fuel flap and the exhaust are on the right only.
"""

import numpy as np

from posegen.render.car_body import Body
from posegen.render.car_cabin import Cabin
from posegen.render.car_shapes import CHROME, DARK
from posegen.render.car_sides import build_mirrors, build_sides
from posegen.render.model import Finish, Floats, Part
from posegen.render.primitives import Color, disc_stack, grid

WHITE_PLATE = (238, 238, 234)
STEEL = (150, 150, 150)


def quad(
    inner: tuple[float, float, float], outer: tuple[float, float, float], rows: int, columns: int
) -> tuple[Floats, Floats]:
    """y, z [R, C] of a quadrilateral: (y, lowest z, highest z) at its two upright edges."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    y = inner[0] + u * (outer[0] - inner[0])
    low = inner[1] + u * (outer[1] - inner[1])
    high = inner[2] + u * (outer[2] - inner[2])
    return y, low + v * (high - low)


def build_details(body: Body, cabin: Cabin) -> list[Part]:
    return [*_front(body), *_rear(body), *build_sides(body), *build_mirrors(body, cabin)]


class _Face:
    """Patches on the front or rear, placed by shares of the half width and heights."""

    def __init__(self, body: Body, front: bool) -> None:
        self.body, self.front = body, front
        reach = np.array([body.end - 0.27 if front else 0.20 - body.end])
        self.half = float(body.half(reach)[0])
        self._patches: list[tuple[Floats, Floats, float, Color, Finish]] = []

    def band(self, side: tuple[float, float], low: tuple[float, float], high: tuple[float, float],
             color: Color, finish: Finish, lift: float) -> None:  # fmt: skip
        """From share side[0] to side[1] of the half width, at heights low and high there; a
        patch that does not reach across the middle gets its mirror image."""
        columns = max(4, int(14 * abs(side[1] - side[0])))
        y, z = quad((side[0] * self.half, low[0], high[0]), (side[1] * self.half, low[1], high[1]),
                    5, columns)  # fmt: skip
        self._add(y, z, color, finish, lift)
        if side[0] > 0:
            self._add(-y[:, ::-1], z[:, ::-1], color, finish, lift)

    def spot(self, y: float, z: float, ry: float, rz: float, color: Color, finish: Finish,
             lift: float) -> None:  # fmt: skip
        """An ellipse, and its mirror image unless it is in the middle."""
        u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 13), np.linspace(0.05, 1, 3))
        for sign in (1, -1) if y > 0 else (1,):
            across, up = sign * (y * self.half + ry * v * np.cos(u)), z + rz * v * np.sin(u)
            flip = slice(None, None, -1) if sign > 0 else slice(None)
            self._add(across[:, flip], up[:, flip], color, finish, lift)

    def plate(self, z: float, color: Color, rng: np.random.Generator) -> None:
        """A number plate with dark strokes for its characters."""
        wide = 0.26 / self.half
        self.band((-wide, wide), (z - 0.057,) * 2, (z + 0.057,) * 2, color, Finish.MATTE, 0.012)
        for number in range(7):
            at = (-0.195 + number * 0.065) / self.half
            stroke = 0.008 / self.half
            for shift in rng.choice([-0.016, 0.0, 0.016], 2, replace=False) / self.half:
                self.band((at + shift - stroke, at + shift + stroke + 1e-6), (z - 0.037,) * 2,
                          (z + 0.037,) * 2, DARK, Finish.MATTE, 0.016)  # fmt: skip

    def _add(self, y: Floats, z: Floats, color: Color, finish: Finish, lift: float) -> None:
        self._patches.append((y, z, lift, color, finish))

    def parts(self) -> list[Part]:
        """All patches; projected together, because each projection is a search."""
        ys = np.concatenate([patch[0].ravel() for patch in self._patches])
        zs = np.concatenate([patch[1].ravel() for patch in self._patches])
        xs, parts, start = self.body.face(ys, zs, self.front), [], 0
        for y, z, lift, color, finish in self._patches:
            x = xs[start : start + y.size].reshape(y.shape)
            start += y.size
            points = np.stack([x, y, z], axis=-1)
            parts.append(grid(points if self.front else points[:, ::-1], lift, color, finish))
        return parts


def _front(body: Body) -> list[Part]:
    s, face = body.shape, _Face(body, front=True)
    rng = np.random.default_rng([7, *s.paint])
    c, n = s.clearance, s.nose
    tall = n - c
    top = c + 0.80 * tall
    big = (0.44, 0.50, 0.62)[s.grille] * (1.0 if s.style in ("suv", "pickup") else 0.92)
    # Intake at the bottom, then grille, plate, lamps.
    face.band((-0.76, 0.76), (c + 0.10,) * 2, (c + 0.24 * tall,) * 2, DARK, Finish.MATTE, 0.006)
    low = (c + 0.66 * tall, c + 0.50 * tall, c + 0.42 * tall)[s.grille]
    face.band((-big, big), (low,) * 2, (top,) * 2, (14, 14, 16), Finish.MATTE, 0.006)
    if s.grille:
        for z in np.linspace(low, top, 4 + s.grille)[1:-1]:
            color, finish = (
                ((60, 60, 64), Finish.MATTE) if not s.bright_trim else (CHROME, Finish.CHROME)
            )
            face.band(
                (-big * 0.97, big * 0.97), (z - 0.007,) * 2, (z + 0.007,) * 2, color, finish, 0.010
            )
        if s.bright_trim:
            face.band(
                (-big, big), (top - 0.012,) * 2, (top + 0.012,) * 2, CHROME, Finish.CHROME, 0.012
            )
    face.spot(0.0, (low + top) / 2 + 0.01, 0.055, 0.05, CHROME, Finish.CHROME, 0.016)
    inner = big + 0.03
    depth = (0.20, 0.26, 0.15)[s.lamps] * tall
    slant = (0.02, 0.05, 0.03)[s.lamps]
    housing = (118, 122, 128)
    face.band((inner, 0.965), (top - 0.8 * depth, top - depth + slant), (top + 0.01, top + slant),
              housing, Finish.GLASS, 0.006)  # fmt: skip
    middle = (inner + 0.93) / 2
    reach = (0.93 - inner) * face.half
    bulb, glass = (225, 226, 220), (168, 172, 176)
    height = top - depth * 0.42 + slant / 2
    if s.lamps == 1:
        face.spot(middle, height, 0.40 * reach, depth * 0.36, glass, Finish.GLASS, 0.009)
        face.spot(middle + 0.02, height, 0.16 * reach, depth * 0.28, bulb, Finish.LAMP, 0.012)
    else:
        for at, size in ((middle - 0.11, 0.20), (middle + 0.10, 0.24)):
            face.spot(at, height, size * reach, depth * 0.38, glass, Finish.GLASS, 0.009)
            face.spot(at, height, 0.6 * size * reach, depth * 0.24, bulb, Finish.LAMP, 0.012)
    if s.lamps == 2:
        face.band((inner, 0.93), (top - depth, top - depth + slant),
                  (top - depth + 0.025, top - depth + slant + 0.025), (255, 255, 250),
                  Finish.LAMP, 0.011)  # fmt: skip
    face.band((0.93, 0.975), (top - depth * 0.9 + slant,) * 2, (top - depth * 0.2 + slant,) * 2,
              (240, 140, 30), Finish.LAMP, 0.010)  # fmt: skip
    if s.lamps != 2:
        face.spot(0.70, c + 0.20 * tall, 0.05, 0.035, (205, 205, 198), Finish.LAMP, 0.012)
    face.plate(c + 0.34 * tall, WHITE_PLATE, rng)
    return face.parts()


def _rear(body: Body) -> list[Part]:
    s, face = body.shape, _Face(body, front=False)
    rng = np.random.default_rng([8, *s.paint])
    c = s.clearance
    at = np.array([-0.46 * s.length])
    tall = float(body.span(at)[1][0]) - c
    red, bright = (150, 8, 14), (235, 20, 24)
    upper = c + 0.84 * tall
    if s.style in ("van", "pickup") or (s.style in ("suv", "estate") and s.lamps == 1):
        inner, depth, tip = 0.80, 0.40 * tall, 0.0
    elif s.lamps == 2:
        inner, depth, tip = 0.30, 0.17 * tall, 0.05
    else:
        inner, depth, tip = 0.50, 0.25 * tall, 0.03
    face.band((inner, 0.965), (upper - depth + tip, upper - depth), (upper - tip, upper), red,
              Finish.LAMP, 0.006)  # fmt: skip
    step = depth / 3
    face.band((inner + 0.03, 0.945), (upper - step - tip,) * 2, (upper - 0.012 - tip,) * 2, bright,
              Finish.LAMP, 0.010)  # fmt: skip
    wide = min(inner + 0.2, 0.86)
    face.band((wide, 0.94), (upper - 2.6 * step,) * 2, (upper - 1.9 * step,) * 2,
              (225, 220, 215) if s.lamps else (230, 130, 30), Finish.LAMP, 0.010)  # fmt: skip
    face.band((-0.80, 0.80), (c + 0.11,) * 2, (c + 0.24 * tall,) * 2, DARK, Finish.MATTE, 0.006)
    crease = c + 0.36 * tall
    face.band(
        (-0.93, 0.93), (crease - 0.006,) * 2, (crease + 0.006,) * 2, DARK, Finish.MATTE, 0.004
    )
    if s.style in ("sedan", "coupe", "hatchback", "suv", "estate"):
        face.spot(0.0, upper - 0.03, 0.05, 0.045, CHROME, Finish.CHROME, 0.012)
    face.plate(
        c + (0.55 if s.style in ("sedan", "suv", "estate") else 0.28) * tall, s.rear_plate, rng
    )
    face.band((0.70, 0.86), (c + 0.22 * tall,) * 2, (c + 0.27 * tall,) * 2, (190, 14, 18),
              Finish.LAMP, 0.010)  # fmt: skip
    x = -body.end + 0.10
    pipe = disc_stack((0, 0, 0), (0.045, 0.045, 0.03), (-0.1, 0.1, 0.1), STEEL, Finish.CHROME, 10)
    turned = pipe.vertices[:, [1, 0, 2]] * (-1, 1, 1)
    place = np.array([x, -0.6 * face.half, c + 0.05])
    return [*face.parts(), Part(turned + place, pipe.faces, pipe.colors, pipe.finish)]
