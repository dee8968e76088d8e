"""Weather: light, sky, haze and the camera's rendering of colour; and the picture of the sky."""

from dataclasses import dataclass

import cv2
import numpy as np

from posegen.render import textures
from posegen.render.model import Bytes, Floats


@dataclass(frozen=True)
class Weather:
    """Colours are floats 0..1 RGB."""

    sky: Floats
    """[2, 3]: at the horizon and overhead."""
    sun: Floats
    """Unit vector towards the light, world frame."""
    sun_color: Floats
    fill: float
    """Brightness of the light from the sky."""
    shadow: float
    """Opacity of shadows, 0..1."""
    shadow_blur: float
    """Blur of a shadow's edge in metres."""
    visibility: float
    """Metres over which haze takes 63 % of the contrast."""
    clouds: Floats
    """[4]: threshold and softness of the noise, and where its tile begins, 0..1."""
    cloud_color: Floats


_KINDS = {  # share, horizon, zenith, sun's height, its strength, fill, shadow, blur, visibility
    "clear": (0.24, (0.78, 0.86, 0.94), (0.26, 0.46, 0.80), (22, 70), (0.7, 0.95), (0.32, 0.44),
              (0.55, 0.75), (0.03, 0.1), (400, 1500)),
    "clouds": (0.30, (0.84, 0.88, 0.92), (0.32, 0.52, 0.82), (20, 70), (0.55, 0.95), (0.36, 0.5),
               (0.45, 0.72), (0.04, 0.14), (300, 900)),
    "overcast": (0.26, (0.84, 0.85, 0.86), (0.66, 0.69, 0.73), (45, 80), (0.2, 0.4), (0.52, 0.72),
                 (0.2, 0.42), (0.25, 0.5), (200, 600)),
    "haze": (0.10, (0.90, 0.88, 0.84), (0.66, 0.74, 0.82), (25, 60), (0.4, 0.7), (0.45, 0.6),
             (0.3, 0.5), (0.12, 0.3), (60, 160)),
    "dusk": (0.10, (0.95, 0.74, 0.54), (0.36, 0.44, 0.66), (14, 25), (0.45, 0.75), (0.28, 0.4),
             (0.4, 0.6), (0.06, 0.15), (200, 600)),
}  # fmt: skip


def draw_weather(rng: np.random.Generator) -> Weather:
    """A random sky and the light that belongs to it."""
    shares = np.array([entry[0] for entry in _KINDS.values()])
    kind = list(_KINDS)[rng.choice(len(_KINDS), p=shares / shares.sum())]
    _, low, high, heights, suns, fills, shadows, blurs, visibilities = _KINDS[kind]
    altitude, azimuth = np.radians(rng.uniform(*heights)), rng.uniform(0, 2 * np.pi)
    warmth = {"dusk": rng.uniform(0.3, 0.5), "overcast": 0.0}.get(kind, rng.uniform(0, 0.2))
    warmth += 0.15 * max(0.0, float(np.cos(2 * altitude))) * (kind != "overcast")
    cover = {"clear": (1.2, 3.5), "clouds": (-0.5, 0.9), "dusk": (-0.3, 1.5)}
    threshold = rng.uniform(*cover.get(kind, (-1.5, 0.2)))
    softness = rng.uniform(0.5, 1.4) if kind in cover else rng.uniform(1.5, 3.0)
    spread = rng.normal(0, 0.05)
    sky = np.clip(np.array([low, high]) + spread + rng.normal(0, 0.02, (2, 3)), 0, 1)
    grey = rng.uniform(0.8, 0.99) if kind in cover else sky[0].mean() * rng.uniform(0.86, 1.08)
    tint = np.array([1, 0.86, 0.74]) if kind == "dusk" else np.ones(3)
    flat = np.cos(altitude)
    return Weather(
        sky=sky,
        sun=np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(altitude)]),
        sun_color=np.array([1, 1 - warmth / 2, 1 - warmth]) * rng.uniform(*suns),
        fill=float(rng.uniform(*fills)),
        shadow=float(rng.uniform(*shadows)),
        shadow_blur=float(rng.uniform(*blurs)),
        visibility=float(rng.uniform(*visibilities)),
        clouds=np.array([threshold, softness, *rng.random(2)]),
        cloud_color=np.clip(grey * tint, 0, 1),
    )


def sky_picture(weather: Weather, rays: Floats) -> Bytes:
    """The sky along `rays` [H, W, 3], world directions: uint8 [H, W, 3]. What points below the
    horizon has the horizon's colour."""
    across = np.hypot(rays[..., 0], rays[..., 1])
    up = np.clip(rays[..., 2] / np.sqrt(across**2 + rays[..., 2] ** 2), 0, 1)
    color = weather.sky[0] + (weather.sky[1] - weather.sky[0]) * (up**0.6)[..., None]
    threshold, softness, x, y = weather.clouds
    # Clouds on a plane one unit overhead, which bends down at the horizon as it does on a globe.
    reach = 0.35 * textures.TILE / np.maximum(up + 0.12, 0.05)
    maps = [
        (textures.TILE * start + reach * rays[..., axis] / np.maximum(across, 1e-6) * (1 - up))
        for axis, start in enumerate((x, y))
    ]
    field = cv2.remap(
        textures.cloud_noise(), maps[0].astype(np.float32), maps[1].astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
    )  # fmt: skip
    thick = np.clip((field - threshold) / softness, 0, 1)
    cover = thick * np.clip(up * 12, 0.15, 1)
    shade = weather.cloud_color * (1 - 0.22 * thick[..., None] ** 2)
    color += cover[..., None] * (shade - color)
    towards = rays @ weather.sun / np.linalg.norm(rays, axis=-1)
    glow = np.clip(towards, 0, 1) ** 24 * 0.35 * weather.shadow
    return np.asarray(np.round(np.clip(color + glow[..., None], 0, 1) * 255), np.uint8)
