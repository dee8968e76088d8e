"""The page, read back as a browser reads it."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from marked_cars import GreenHeading, RedSegmenter, write_marked_cars
from posegen.cli import app
from posegen.evaluation.exhibits import SIDE
from posegen.evaluation.judges import Judges
from posegen.evaluation.model import Conditions
from posegen_runtime.console import run_app
from report_page import Page

ALL = Judges(segmenter=RedSegmenter(), heading=GreenHeading(), outline=GreenHeading())
OPTIONS = ("--threads", "1", "--device", "cpu")


class Painter:
    """Paints every object in one colour, and leaves the first of a batch out."""

    label, sha256, image_size, inputs = "painter", "", 64, ("mask", "background")

    def images(self, conditions: Conditions) -> np.ndarray:
        mask, images = conditions["mask"], conditions["background"].copy()
        images[mask > 0] = 220, 110, 0
        images[0] = conditions["background"][0]
        return images


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_marked_cars(tmp_path_factory.mktemp("both"), splits=("test", "train"))


def page(
    data: Path,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    *options: str,
    judges: Judges = ALL,
    model: Path | None = None,
) -> Page:
    monkeypatch.setattr("posegen.evaluation.run.open_judges", lambda *_: judges)
    if model is None:
        monkeypatch.setattr("posegen.evaluation.run.open_model", lambda *_: Painter())
    words = ["evaluate", str(model or "painter"), "--data", str(data), "--report", str(file)]
    assert run_app(app, [*words, *OPTIONS, *options]) == 0
    return Page(file)


def test_it_holds_verdict_figures_bins_and_pictures(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = page(data, tmp_path / "new" / "report.html", monkeypatch)
    printed = capsys.readouterr().out
    (line,) = [each for each in printed.splitlines() if each.startswith("verdict: ")]
    assert line.startswith("verdict: not usable because of ")
    for fault in line.partition(" because of ")[2].partition(" (not judged")[0].split("; "):
        assert fault in found.text
    for words in ("shuffled masks", "nearest training", "By yaw", "By elevation", "By area"):
        assert words in found.text
    assert "The worst: the 24 images" in found.text
    assert "Is it copying? The 8 images" in found.text
    assert len(found.alts) == 32
    assert all(link.startswith("data:image/jpeg;base64,") for link in found.links)
    assert "script" not in found.tags


def test_the_worst_image_comes_first_beside_its_photo(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = page(data, tmp_path / "report.html", monkeypatch, "--batch-size", "100")
    name, link = found.alts[0], found.links[0]
    encoded = np.frombuffer(base64.b64decode(link.partition(",")[2]), np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert picture.shape == (SIDE, 2 * SIDE, 3)
    photo = cv2.resize(cv2.imread(str(data / name)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.abs(picture[:, SIDE:].astype(int) - photo).mean() < 6
    ious = [float(each) for each in re.findall(r"IoU (\d\.\d+), of the real photo", found.text)]
    assert len(ious) == 24
    assert ious == sorted(ious)
    assert ious[0] == 0


def test_without_judges_poses_and_training_photos(
    moving_checkpoint: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_marked_cars(tmp_path / "data", poses=False)
    model = moving_checkpoint("spatial", "pose")
    found = page(data, tmp_path / "report.html", monkeypatch, judges=Judges(), model=model)
    assert "pose: not judged, no judge: segmenter" in found.text
    assert "no training photos" in found.text
    assert "By yaw" not in found.text
    assert "By area" in found.text
    assert found.alts == []


def test_copies_are_not_looked_for_where_asked_or_in_the_training_split(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options in (("--training", "0"), ("--split", "train")):
        found = page(data, tmp_path / "report.html", monkeypatch, *options)
        assert "Is it copying?" not in found.text
        assert "copying, no training photos" in found.text
