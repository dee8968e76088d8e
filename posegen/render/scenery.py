"""The backdrop of a photo: sky, ground and all that stands on it, painted from far to near."""

from dataclasses import replace

import cv2
import numpy as np

from posegen.render.camera import View
from posegen.render.canvas import Canvas, rotation
from posegen.render.ground import draw_ground_picture
from posegen.render.model import Bytes
from posegen.render.sky import sky_picture
from posegen.render.street import Street, clear_of_view
from posegen.render.things import Thing, boxes, corners

_SKY_STEP = 4
"""Pixels of the canvas, along each side, for one of the sky's: clouds are soft."""


def seen_street(street: Street, view: View, radius: float, scale: float) -> Street:
    """The street without what could stand before an object of `radius`. World units: `scale` times
    the street's metres."""
    turn = rotation(street.angle).T * scale
    room = 2.7 * np.array([(x, y, 0.4 + z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    rooms = [room + np.array([car.x, car.y, 0]) if car else room for car in street.cars]
    of_all = np.concatenate([np.stack(rooms), corners(street.things)])
    kept = clear_of_view(of_all @ turn, view, radius)
    cars, things = kept[: len(rooms)], kept[len(rooms) :]
    return replace(
        street,
        cars=tuple(car if keep else None for car, keep in zip(street.cars, cars, strict=True)),
        things=tuple(thing for thing, keep in zip(street.things, things, strict=True) if keep),
    )


def backdrop(street: Street, view: View, scale: float, samples: int) -> Bytes:
    """The scene without object and parked cars, uint8 [H * samples, W * samples, 3]."""
    canvas = Canvas(street.weather, street.angle, view, scale, samples)
    rays = canvas.rays(_SKY_STEP)
    sky = sky_picture(street.weather, rays @ rotation(street.angle).T)
    size = (canvas.width, canvas.height)
    canvas.image = np.asarray(cv2.resize(sky, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    draw_ground_picture(street, canvas, canvas.upward())
    things = _in_image(street.things, canvas)
    distances = [np.hypot(*(canvas.eye[:2] - (thing.x, thing.y))) for thing in things]
    for index in np.argsort(distances)[::-1]:
        things[index].paint(canvas)
    return canvas.image


def _in_image(things: tuple[Thing, ...], canvas: Canvas) -> list[Thing]:
    """Things of which the image could show a part: roofs, lamps and leaning crowns reach beyond
    their boxes."""
    if not things:
        return []
    x, y, half_x, half_y, height = boxes(things)
    reach = 1.5 + 0.15 * height
    ends = [
        (x + i * (half_x + reach), y + j * (half_y + reach), z)
        for i in (-1, 1)
        for j in (-1, 1)
        for z in (np.full_like(height, -1.0), height + half_y + 1)
    ]
    pixels, depths = canvas.project(np.array(ends).transpose(2, 0, 1).reshape(-1, 3))
    pixels, depths = pixels.reshape(len(things), -1, 2), depths.reshape(len(things), -1)
    beside = (pixels.max(axis=1) < -8) | (
        pixels.min(axis=1) > (canvas.width + 8, canvas.height + 8)
    )
    out = (depths.min(axis=1) > 0.1) & beside.any(axis=1)
    return [thing for thing, hidden in zip(things, out, strict=True) if not hidden]
