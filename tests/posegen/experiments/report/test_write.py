"""All files of a report, the page as a browser reads it."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from authors_sample import AUTHORS, RESULTS, needs_authors
from posegen.experiments.report import write_report
from posegen.experiments.results import Experiment, RowResult, Shown
from posegen.experiments.rows import PAPER
from posegen.metrics.estimate import Estimate
from posegen.metrics.rows import Row
from posegen.metrics.values import IOU, ISIM, read_values
from posegen_runtime.errors import PoseGenError
from posegen_runtime.images import read_rgb
from report_page import Page
from small_experiment import small_experiment

FIGURES = ["fig3.png", "fig4.png", "fig5.png", "fig6.png"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "new"
    assert write_report(small_experiment(), folder) == folder / "report.html"
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_same_experiment_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    names = {
        "table.md",
        "table.csv",
        "values.csv",
        "report.html",
        *(f"figures/{f}" for f in FIGURES),
    }
    assert contents(folder).keys() == names
    write_report(small_experiment(), tmp_path)
    assert contents(tmp_path) == contents(folder)


def test_the_page_holds_the_table_and_all_figures(folder: Path) -> None:
    page = Page(folder / "report.html")
    for words in (
        "Small & quick",
        "baseline and oracles",
        "Ours <b> | $x$",
        "IoU: no masks",
        "IS; FID; KID; KID, subsets: unavailable",
        "FID is unavailable: no weights <here>",
        "Pose: best at step 3",
        "Further Some & text. a < b Pose 0.4|5 real -",
        "Figure 3",
        "Figure 4",
        "r(sharpness, IoU)",
        "I_sim against IoU",
    ):
        assert words in page.text
    iou = small_experiment().results[3].row.figures[IOU].value
    assert f"{iou:.3f}" in "".join(page.cells)
    assert page.tags.count("svg") == 3, "the autoencoder and two models with masks"
    # Figure 3: photos and two rows; Figure 4: three inputs, two rows, photos; Figure 5: two pairs,
    # of which one has outlines.
    assert len(page.alts) == 8 * (3 + 6) + 2 * (2 + 3)
    assert "script" not in page.tags
    assert all(link.startswith(("data:image/jpeg;base64,", "#")) for link in page.links)


def test_the_first_picture_is_the_first_photo(folder: Path) -> None:
    page = Page(folder / "report.html")
    link = next(link for link in page.links if link.startswith("data:"))
    encoded = np.frombuffer(base64.b64decode(link.partition(",")[2]), np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1]
    photo = small_experiment().shown.photos[0].repeat(4, axis=0).repeat(4, axis=1)
    assert page.alts[0] == "Real photos: test/000.png"
    assert np.abs(picture.astype(int) - photo).mean() < 8


def test_what_is_missing_is_named_and_no_old_figure_stays(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    for name in FIGURES:
        (tmp_path / "figures" / name).write_bytes(b"of an earlier report")
    baseline = small_experiment().results[:1]
    write_report(small_experiment(results=baseline, notices=[], settings={}), tmp_path)
    assert list((tmp_path / "figures").iterdir()) == []
    page = Page(tmp_path / "report.html")
    for words in (
        "no images of an autoencoder",
        "no row takes a mask",
        "no row that takes a mask has IoU",
        "I_sim is unavailable",
    ):
        assert f"unavailable: {words}" in page.text
    assert page.alts == []
    assert "How it was made" not in page.text


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PoseGenError, match=r"file.*name another folder"):
        write_report(small_experiment(), tmp_path / "file")


@needs_authors
def test_the_authors_pose_model(tmp_path: Path) -> None:
    """Figures 4, 5 and 6 of their photos, masks, images and results. They give no result for four
    of the five photos."""
    write_report(authors_experiment(), tmp_path)
    page = Page(tmp_path / "report.html")
    assert "r = 0.44 (0.30 … 0.56), 148 images" in page.text
    assert "r = 0.19 (0.02 … 0.35), 148 images" in page.text
    assert page.alts[:2] == ["Mask: IMG_0533.JPEG", "Mask: IMG_0581.JPEG"]
    assert "High IoU 0.94" in page.text
    assert "Lowest IoU" not in page.text
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == FIGURES[1:]


def authors_experiment() -> Experiment:
    table = read_values(RESULTS)
    files = [path.name for path in sorted((AUTHORS / "authors-output").iterdir())]
    measured = [line.partition(",")[0] for line in RESULTS.read_text().splitlines()[1:]]
    names = [name if Path(name).name not in files else Path(name).name for name in measured]
    others = [file for file in files if file not in names]

    def pictures(folder: str) -> np.ndarray:
        return np.stack([read_rgb(AUTHORS / folder / file) for file in files])

    def result(key: str, method: str, model: str, inputs: tuple[str, ...]) -> RowResult:
        none = np.full(len(others), np.nan)
        values = {name: np.append(each, none) for name, each in table.models[model].items()}
        figures = {name: Estimate(value=float(np.nanmean(values[name]))) for name in (ISIM, IOU)}
        row = Row(method=method, images=len(measured), figures=figures)
        return RowResult(key, row, values, PAPER, inputs)

    photos = pictures("rgb")
    return Experiment(
        title="The authors' results on TeslaPose",
        settings={},
        notices=[],
        names=[*names, *others],
        results=[
            result("ae", "Oracle 1: autoencoder", "ae", ("appearance",)),
            result("pose", "Pose", "pose", ("mask",)),
        ],
        shown=Shown(
            names=files,
            photos=photos,
            masks=np.where(pictures("mask")[..., 0] > 127, 255, 0).astype(np.uint8),
            appearances=photos,
            backgrounds=photos,
            images={"pose": pictures("authors-output")},
        ),
    )
