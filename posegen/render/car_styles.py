"""Body styles of cars with their ranges of size, their shares of the traffic, and paints."""

from dataclasses import dataclass

from posegen.render.primitives import Color


@dataclass(frozen=True)
class Style:
    """Ranges of a body style: metres, or shares of the length for bonnet and boot."""

    length: tuple[float, float]
    width: tuple[float, float]
    height: tuple[float, float]
    clearance: tuple[float, float]
    belt: tuple[float, float]
    """Share of the height."""
    bonnet: tuple[float, float]
    boot: tuple[float, float]
    rake: tuple[float, float]
    back_rake: tuple[float, float]
    wheel: tuple[float, float]
    last_window: tuple[float, float]
    pillars: tuple[float, ...] = (0.47,)


STYLES = {
    "sedan": Style((4.4, 5.0), (1.76, 1.90), (1.40, 1.48), (0.15, 0.19), (0.635, 0.665),
                   (0.25, 0.28), (0.11, 0.15), (0.72, 0.92), (0.80, 1.05), (0.325, 0.355),
                   (0.78, 0.82)),
    "hatchback": Style((3.7, 4.35), (1.68, 1.82), (1.42, 1.54), (0.15, 0.19), (0.60, 0.64),
                       (0.21, 0.245), (0.01, 0.02), (0.62, 0.82), (0.42, 0.68), (0.305, 0.34),
                       (0.80, 0.86)),
    "estate": Style((4.5, 4.95), (1.76, 1.88), (1.43, 1.52), (0.15, 0.20), (0.61, 0.64),
                    (0.24, 0.27), (0.01, 0.02), (0.68, 0.85), (0.30, 0.50), (0.325, 0.355),
                    (0.92, 0.95), (0.38, 0.68)),
    "coupe": Style((4.2, 4.7), (1.78, 1.92), (1.27, 1.36), (0.12, 0.15), (0.66, 0.70),
                   (0.28, 0.32), (0.09, 0.13), (0.75, 0.95), (0.95, 1.25), (0.33, 0.36),
                   (0.68, 0.74), ()),
    "suv": Style((4.35, 4.95), (1.82, 2.00), (1.64, 1.84), (0.21, 0.27), (0.60, 0.64),
                 (0.22, 0.26), (0.01, 0.02), (0.50, 0.72), (0.18, 0.42), (0.36, 0.41),
                 (0.90, 0.94), (0.40, 0.70)),
    "pickup": Style((5.1, 5.6), (1.84, 2.02), (1.76, 1.92), (0.25, 0.31), (0.58, 0.62),
                    (0.23, 0.26), (0.32, 0.36), (0.48, 0.62), (0.10, 0.20), (0.38, 0.42),
                    (0.93, 0.95), (0.54,)),
    "van": Style((4.6, 5.4), (1.84, 2.02), (1.90, 2.25), (0.17, 0.22), (0.54, 0.60),
                 (0.085, 0.125), (0.005, 0.01), (0.70, 0.95), (0.08, 0.16), (0.32, 0.35),
                 (0.93, 0.95), (0.36, 0.66)),
}  # fmt: skip
SHARES = (0.24, 0.2, 0.12, 0.06, 0.2, 0.09, 0.09)
PAINTS: tuple[Color, ...] = (
    (236, 236, 233), (236, 236, 233), (192, 195, 199), (150, 153, 157), (104, 107, 112),
    (60, 62, 67), (22, 23, 26), (22, 23, 26), (170, 22, 28), (124, 18, 30), (24, 52, 128),
    (44, 92, 168), (112, 152, 192), (22, 74, 56), (196, 172, 130), (224, 176, 30), (206, 92, 28),
    (120, 142, 112), (98, 72, 54), (28, 128, 134),
)  # fmt: skip
