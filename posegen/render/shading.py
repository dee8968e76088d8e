"""Light on the vertices of an object: sun, sky, ground, and what a polished surface mirrors.

Worked out here for each vertex and frame: a dense mesh then shows curved reflections, and OpenGL in
software, which lights every pixel, would take ten times longer. Colours are squared to become
roughly linear light, as a mirror's few per cent of a bright sky vanish otherwise.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posegen.render.model import Bytes, Finish, Floats
from posegen.render.street import Street

_GROUND = np.array([0.40, 0.395, 0.385])
_SKYLINE = np.array([0.44, 0.43, 0.40])
"""What is mirrored need not be what is there: asphalt, and the mean of houses and trees."""
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Surface:
    diffuse: float
    mirror: float
    """Share that is mirrored at normal incidence (Schlick's F0)."""
    graze: float
    """Share that is mirrored at grazing incidence."""
    glint: float
    power: float
    glow: float = 0.0
    flakes: float = 0.0
    """How much the base gains where the surface faces the eye, and loses elsewhere."""
    tinted: bool = False
    """Whether the mirror has the surface's colour, as metals do."""


SURFACES = {
    Finish.PAINT: _Surface(1.0, 0.08, 0.80, 1.6, 180),
    Finish.METALLIC: _Surface(0.85, 0.12, 0.80, 1.2, 60, flakes=0.55),
    Finish.CHROME: _Surface(0.25, 0.75, 0.95, 2.0, 90, tinted=True),
    Finish.GLASS: _Surface(0.55, 0.17, 0.95, 2.5, 300),
    Finish.MATTE: _Surface(1.0, 0.01, 0.12, 0.06, 10),
    Finish.LAMP: _Surface(0.6, 0.06, 0.6, 1.5, 120, glow=0.42),
}


def _linear(colors: npt.NDArray[np.floating]) -> Singles:
    return np.square(colors).astype(np.float32)


def _step(values: Singles, low: float, high: float) -> Singles:
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def surroundings(directions: Singles, street: Street) -> Singles:
    """What lies in directions [V, 3] (unit, world), as linear light [V, 3]: ground, a skyline of
    houses and trees whose height follows from the street, and a sky that is brightest low."""
    sky = _linear(np.asarray(street.sky, np.float64))
    horizon, zenith = np.maximum(sky[0], 0.35) * 1.5, sky[1]
    up = directions[:, 2]
    azimuth = np.arctan2(directions[:, 1], directions[:, 0]) - np.float32(street.angle)
    phase = 10 * float(street.sun[0] + street.fill)
    skyline = 0.13 + 0.07 * np.sin(3 * azimuth + phase) + 0.05 * np.sin(7 * azimuth + 2 * phase)
    # A street leads out of the skyline at both its ends.
    skyline -= 0.10 * np.cos(azimuth) ** 6
    high = _step(up, 0.0, 0.75)[:, None]
    light = horizon + (zenith - horizon) * high
    # Clouds and crowns overhead: a bonnet or windscreen mirrors nothing but the upper sky.
    cloud = np.sin(2.3 * azimuth + phase + 7 * up) * np.sin(3.1 * directions[:, 0] + 9 * up + phase)
    light = light * (1 + 0.3 * cloud.astype(np.float32) * _step(up, 0.2, 0.6))[:, None]
    ground = ground_light(street)
    wall = _linear(_SKYLINE * np.sqrt(street.fill)) * 0.7
    band = _step(up - skyline.astype(np.float32), -0.025, 0.025)[:, None]
    light = wall + (light - wall) * band
    below = _step(up, -0.06, 0.01)[:, None]
    near = (0.55 + 0.45 * _step(up, -0.9, -0.1))[:, None]  # the object's own shadow darkens it
    return np.asarray(ground * near + (light - ground * near) * below, np.float32)


def ground_light(street: Street) -> Singles:
    """Mean linear light [3] that the ground sends up."""
    light = 1.1 * street.sun[2] * street.sun_color + 1.35 * street.fill
    return _linear(np.clip(_GROUND * light, 0, 1))


def shade(
    points: Floats, normals: Floats, colors: Bytes, finish: Finish, street: Street, eye: Floats
) -> Bytes:
    """Colours uint8 [V, 3] as the eye sees them.

    Args:
        points: vertices [V, 3] in metres, world frame, the ground at z = 0.
        normals: unit [V, 3]; one that points away from the eye is turned round, for the sake of
            meshes whose faces are not oriented.
        colors: the surface's own, uint8 [V, 3].
        finish: how the surface answers light.
        street: the light and what is mirrored.
        eye: the camera's centre [3], world frame.
    """
    surface = SURFACES[finish]
    at, n = points.astype(np.float32), normals.astype(np.float32)
    view = eye.astype(np.float32) - at
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    facing = np.einsum("ij,ij->i", n, view)
    n = np.where(facing[:, None] < -0.3, -n, n)
    facing = np.maximum(np.einsum("ij,ij->i", n, view), 0)
    base = _linear(colors / 255.0)
    if surface.flakes:
        base = base * (1 + surface.flakes * (facing**1.5 * 1.5 - 0.75))[:, None]

    up, sun = n[:, 2], street.sun.astype(np.float32)
    fill = street.fill
    level = 1.35 * fill
    # The same light that `scenery` gives to level ground, split into sun and sky.
    sunlight = (np.square(1.1 * sun[2] * street.sun_color + level) - level**2) / max(sun[2], 0.2)
    toward = np.maximum(n @ sun, 0)
    open_sky = 0.45 + 0.55 * _step(at[:, 2], 0.02, 0.55 * float(at[:, 2].max()) + 1e-3)
    closed = np.where(up < 0, 1 + 0.75 * up, 1) * open_sky
    light = np.square(fill * (0.95 + 0.4 * up)) * closed
    total = light[:, None] + toward[:, None] * sunlight.astype(np.float32)
    bounce = 0.5 * (1 - up) * closed * 0.45
    total = total + bounce[:, None] * ground_light(street)
    result = surface.diffuse * base * total + surface.glow * base

    share = surface.mirror + (surface.graze - surface.mirror) * (1 - facing) ** 5
    back = 2 * facing[:, None] * n - view
    if finish is not Finish.MATTE:
        seen = surroundings(back, street)
        if surface.tinted:
            seen = seen * base
        occluded = np.where(back[:, 2] < 0, open_sky, 1)
        result = result * (1 - share)[:, None] + seen * (share * occluded)[:, None]
    glint = surface.glint * np.maximum(back @ sun, 0) ** surface.power
    result = result + glint[:, None] * np.square(street.sun_color).astype(np.float32) * 0.7
    shown = np.sqrt(np.maximum(result, 0))
    shown = np.where(shown > 0.8, 0.8 + 0.2 * np.tanh((shown - 0.8) / 0.35), shown)
    return np.asarray(np.round(255 * np.minimum(shown, 1)), np.uint8)
