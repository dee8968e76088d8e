"""Parametric cars: body, cabin, wheels and what is fixed to them."""

from posegen.render.car_body import Body
from posegen.render.car_cabin import Cabin
from posegen.render.car_details import build_details
from posegen.render.car_shapes import CarShape
from posegen.render.car_wheels import build_wheels
from posegen.render.model import Model


def build_car(shape: CarShape) -> Model:
    """The car's triangles, about 25,000 of them."""
    body, cabin = Body(shape), Cabin(shape)
    parts = [*body.skin(), *cabin.skin(), *build_wheels(body), *build_details(body, cabin)]
    return Model.centred([part for part in parts if len(part.faces)])
