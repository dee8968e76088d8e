"""The judges that come along: small, whole, and right about renders that they never saw."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen.data.dataset import open_dataset
from posegen.data.prepared import Split, prepare
from posegen.evaluation.heading import azimuth, heading_error
from posegen.evaluation.pose import iou
from posegen.render.dataset import render_dataset
from posegen.render.poses import PoseRange
from posegen.render.worker import RenderPlan
from posegen_runtime.errors import PoseGenError
from posegen_runtime.judges import Heading, Segmenter, load_judge, shipped_judges

KINDS = ("segmenter", "heading", "outline")
ROOT = shipped_judges()


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Split:
    """A dozen renders of cars that the judges' data set does not hold."""
    folder = tmp_path_factory.mktemp("renders")
    render_dataset(RenderPlan(folder / "cars", "cars", 987, 128, 128, PoseRange()), 6, 12, 1)
    dataset = open_dataset(folder / "cars")
    return prepare(dataset, "train", 128, folder / "cache")


@pytest.mark.parametrize("kind", KINDS)
def test_a_judge_is_whole_and_small(kind: str) -> None:
    manifest = load_judge(ROOT / kind).manifest
    assert manifest.kind == kind
    assert manifest.image_size == 128
    assert manifest.lineage["dataset"]["sha256"]
    assert sum(file.stat().st_size for file in (ROOT / kind).iterdir()) < 1.6e6


def test_what_the_records_say_of_held_out_renders() -> None:
    """Good enough to judge by."""
    figures = {kind: load_judge(ROOT / kind).manifest.figures for kind in KINDS}
    assert figures["segmenter"]["iou"] > 0.9
    assert figures["heading"]["median_deg"] < 8
    assert figures["heading"]["share_over_90"] < 0.06
    assert figures["outline"]["share_over_90"] < 0.06


def test_the_segmenter_finds_unseen_cars(renders: Split) -> None:
    found = Segmenter(ROOT / "segmenter").masks(np.asarray(renders.photo)) > 127
    assert np.mean(iou(found, renders.mask > 127)) > 0.85
    assert np.mean(iou(found, np.roll(renders.mask, 1, axis=0) > 127)) < 0.6


def test_the_heading_judge_turns_with_unseen_cars(renders: Split) -> None:
    errors = heading_error(
        Heading(ROOT / "heading").angles(np.asarray(renders.photo)), azimuth(renders.viewpoint)
    )
    assert np.median(errors) < 20


def test_a_mirrored_car_is_seen_from_the_other_side(renders: Split) -> None:
    heading = Heading(ROOT / "heading")
    photos = np.asarray(renders.photo)
    mirrored = np.ascontiguousarray(photos[:, :, ::-1])
    assert np.median(heading_error(heading.angles(mirrored), -heading.angles(photos))) < 10


def test_blur_moves_the_silhouette_little(renders: Split) -> None:
    segmenter = Segmenter(ROOT / "segmenter")
    photos = np.asarray(renders.photo)
    blurred = np.stack([cv2.GaussianBlur(photo, (0, 0), 1.5) for photo in photos])
    assert np.mean(iou(segmenter.masks(blurred) > 127, renders.mask > 127)) > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_byte_is_refused(kind: str, tmp_path: Path) -> None:
    for file in (ROOT / kind).iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    graph = tmp_path / json.loads((tmp_path / "judge.json").read_text())["file"]
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    with pytest.raises(PoseGenError, match="sha256 differs"):
        load_judge(tmp_path)
