"""The stage's fixed actors. Their topology never changes: a street moves their points, and what a
street does not have collapses to a point."""

from typing import Any

import numpy as np

from posegen.render import textures
from posegen.render.camera import View
from posegen.render.model import Bytes, Finish, Floats
from posegen.render.offscreen import surface
from posegen.render.primitives import disc_stack
from posegen.render.street import BUILDINGS, CELLS, REACH, TREES, Street, clear_of_view, rotation


def _separate(count: int, corners: int) -> Any:
    """`count` polygons that share no points, so that each has its own colour."""
    points = np.random.default_rng(0).random((count * corners, 3))
    mesh = surface(points, np.arange(len(points)).reshape(-1, corners))
    mesh.point_data["rgb"] = np.zeros((len(points), 3), np.uint8)
    mesh.active_texture_coordinates = np.zeros((len(points), 2), np.float32)
    return mesh


def _lit(colors: Floats, normals: Floats, street: Street) -> Bytes:
    """Matte colours [..., 3] under the street's light. Worked out here for each flat face because
    lighting every pixel of the ground takes longer than all the rest."""
    sun = np.clip(normals @ street.sun, 0, None)[..., None] * street.sun_color
    light = 1.1 * sun + street.fill * (0.95 + 0.4 * normals[..., 2:])
    return np.round(np.clip(colors * light, 0, 1) * 255).astype(np.uint8)


def _texture(image: Bytes) -> Any:
    import pyvista

    texture = pyvista.Texture(image)
    texture.repeat = True
    texture.SetMipmap(True)
    texture.SetInterpolate(True)
    # VTK's default of 4 makes a frame ten times slower with Mesa's software rasteriser.
    texture.SetMaximumAnisotropicFiltering(1)
    return texture


def _show(plotter: Any, mesh: Any, texture: Any = None) -> Any:
    return plotter.add_mesh(
        mesh, scalars="rgb", rgb=True, texture=texture, lighting=False, reset_camera=False
    )


class Ground:
    """Bands along the street, cut into cells so that markings can be dashed."""

    def __init__(self, plotter: Any) -> None:
        self._bands = 12
        self.mesh = _separate(self._bands * CELLS, 4)
        _show(plotter, self.mesh, _texture(textures.rough()))

    def update(self, street: Street, scale: float) -> None:
        x = np.linspace(-REACH, REACH, CELLS + 1)
        low, high = street.edges[:-1], street.edges[1:]
        corners = np.zeros((self._bands, CELLS, 4, 3))
        for corner, (xs, ys) in enumerate(
            [(x[:-1], low), (x[1:], low), (x[1:], high), (x[:-1], high)]
        ):
            corners[:, :, corner, 0] = xs[None]
            corners[:, :, corner, 1] = ys[:, None]
        points = corners.reshape(-1, 3)
        self.mesh.points = points @ rotation(street.angle).T * scale
        self.mesh.active_texture_coordinates = points[:, :2] / textures.TILE_METRES
        colors = _lit(street.bands.reshape(-1, 3), np.array([[0, 0, 1.0]]), street)
        self.mesh.point_data["rgb"] = np.repeat(colors, 4, axis=0)


_BOX = np.array(  # four walls and a roof, corners in units of the half size; roof last
    [
        [(-1, -1, 0), (1, -1, 0), (1, -1, 1), (-1, -1, 1)],
        [(1, -1, 0), (1, 1, 0), (1, 1, 1), (1, -1, 1)],
        [(1, 1, 0), (-1, 1, 0), (-1, 1, 1), (1, 1, 1)],
        [(-1, 1, 0), (-1, -1, 0), (-1, -1, 1), (-1, 1, 1)],
        [(-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)],
    ],
    dtype=np.float64,
)
_BOX_NORMALS = np.array([(0, -1, 0), (1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, 0, 1.0)])


class Buildings:
    """All houses that wear one facade."""

    def __init__(self, plotter: Any, facade: int, wall: Bytes) -> None:
        self.facade = facade
        self.mesh = _separate(BUILDINGS * len(_BOX), 4)
        self.actor = _show(plotter, self.mesh, _texture(wall))

    def update(self, street: Street, view: View, radius: float, scale: float) -> None:
        middle = np.c_[street.buildings[:, :2], np.zeros(BUILDINGS)]
        half = street.buildings[:, 2:5] * (0.5, 0.5, 1.0)
        corners = middle[:, None, None] + _BOX * half[:, None, None]
        world = corners @ rotation(street.angle).T * scale
        keep = (street.buildings[:, 5] == self.facade) & (half[:, 2] > 0)
        keep &= clear_of_view(world.reshape(BUILDINGS, -1, 3), view, radius)
        self.actor.SetVisibility(bool(keep.any()))
        world[~keep] = world[keep][0, 0, 0] if keep.any() else 0.0
        along = np.stack([half[:, 0], half[:, 1]] * 2 + [half[:, 0]], axis=1) * 2
        uv = np.zeros((BUILDINGS, len(_BOX), 4, 2))
        # Whole windows: the texture repeats a whole number of times on every wall.
        uv[:, :, 1:3, 0] = np.maximum(np.round(along / textures.TILE_METRES), 1)[:, :, None]
        uv[:, :, 2:, 1] = np.maximum(np.round(half[:, 2] / textures.TILE_METRES), 1)[:, None, None]
        uv[:, 4] = 0.01  # roofs show plain wall
        colors = np.repeat(street.building_colors[:, None], len(_BOX), axis=1)
        colors[:, 4] *= 0.6
        self.mesh.points = world.reshape(-1, 3)
        self.mesh.active_texture_coordinates = uv.reshape(-1, 2)
        shades = _lit(colors, _BOX_NORMALS @ rotation(street.angle).T, street)
        self.mesh.point_data["rgb"] = np.repeat(shades.reshape(-1, 3), 4, axis=0)


class Trees:
    """Round crowns on trunks."""

    def __init__(self, plotter: Any) -> None:
        import pyvista

        crown = pyvista.Icosphere(radius=1.0, nsub=2)
        bumps = np.random.default_rng(3).uniform(0.85, 1.15, (crown.n_points, 1))
        trunk = disc_stack((0, 0, 0), (1, 1), (0, 1), (0, 0, 0), Finish.MATTE, 8)
        self._crown = (crown.points * bumps)[crown.regular_faces]
        self._trunk = trunk.vertices[trunk.faces][..., [0, 2, 1]]
        self.mesh = _separate(TREES * (len(self._crown) + len(self._trunk)), 3)
        self.actor = _show(plotter, self.mesh)

    def update(self, street: Street, view: View, radius: float, scale: float) -> None:
        trees = []
        for x, y, crown, height in street.trees:
            base, thick = np.array([x, y, 0.0]), 0.06 + 0.05 * crown
            top = base + np.array([0, 0, height - crown * 0.7])
            trunk = base + self._trunk * (thick, thick, height - crown)
            trees.append(np.concatenate([top + self._crown * crown, trunk]))
        world = np.stack(trees) @ rotation(street.angle).T * scale
        keep = clear_of_view(world.reshape(TREES, -1, 3), view, radius) & (street.trees[:, 2] > 0)
        self.actor.SetVisibility(bool(keep.any()))
        sides = np.cross(world[:, :, 1] - world[:, :, 0], world[:, :, 2] - world[:, :, 0])
        outwards = sides / np.linalg.norm(sides, axis=-1, keepdims=True).clip(1e-12)
        world[~keep] = world[keep][0, 0, 0] if keep.any() else 0.0
        colors = np.repeat(street.tree_colors[:, None], world.shape[1], axis=1)
        colors[:, len(self._crown) :] = (0.32, 0.25, 0.18)
        shades = _lit(colors, outwards, street).reshape(-1, 3)
        self.mesh.points = world.reshape(-1, 3)
        self.mesh.point_data["rgb"] = np.repeat(shades, 3, axis=0)
