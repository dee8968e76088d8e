"""The two domains: labels that fit, cars that meet nowhere else, and a stop in between."""

from pathlib import Path

import numpy as np
import pytest

from posegen.experiments.usefulness import renders
from posegen.experiments.usefulness.config import Config
from posegen.experiments.usefulness.renders import Drawn, Part, Renderer, load, render
from posegen.render.car_shapes import draw_car

CONFIG = Config(image_size=32, images=2, photos=3, test=2, cars=2)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    """One for all tests: to start one takes seconds."""
    return Renderer(CONFIG.image_size, CONFIG.seed)


@pytest.fixture(autouse=True)
def _one_renderer(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renders, "Renderer", lambda size, seed: renderer)


@pytest.fixture
def folder(tmp_path: Path, _one_renderer: None) -> Path:
    render(CONFIG, tmp_path, lambda frames: None)
    return tmp_path


def test_parts_hold_what_they_promise(folder: Path) -> None:
    parts = {part: load(CONFIG, folder, part) for part in Part}
    assert [len(drawn) for drawn in parts.values()] == [2, 3, 2, 2]
    for part, drawn in parts.items():
        assert drawn.image.shape == drawn.empty.shape == (len(drawn), 32, 32, 3)
        assert drawn.mask.any((1, 2)).all()
        assert np.allclose(np.linalg.norm(drawn.viewpoint, axis=1), 1, atol=1e-6)
        assert drawn.empty.any() == (part is Part.PHOTOS)
    sim, photos = parts[Part.SIM], parts[Part.PHOTOS]
    assert not sim.image[sim.cover == 0].any()
    assert photos.image.any(-1).mean() > 0.99
    assert photos.car.tolist() == [0, 0, 1]


def test_no_car_is_in_two_parts() -> None:
    keys = [[0, part.stream + 1, car + 1] for part in Part for car in range(20)]
    cars = [draw_car(np.random.default_rng(key)) for key in keys]
    assert len({(car.length, car.width, car.height) for car in cars}) == len(cars)


def test_what_is_rendered_is_kept_and_the_rest_comes_out_the_same(
    folder: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, lost = folder / "sim" / "000000.npz", folder / "test" / "000001.npz"
    before = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    made: list[tuple[Part, int]] = []
    drawn = renderer.car

    def noted(part: Part, number: int, frames: int) -> Drawn:
        made.append((part, number))
        return drawn(part, number, frames)

    monkeypatch.setattr(renderer, "car", noted)
    finished: list[int] = []
    render(CONFIG, folder, finished.append)
    assert made == [(Part.TEST, 1)]
    assert sum(finished) == 9
    assert (kept.stat().st_mtime_ns, lost.read_bytes()) == before
