"""Loading judges without PyTorch, on graphs so simple that the right answer is known."""

import sys
from pathlib import Path

import numpy as np
import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.judges import Heading, Segmenter, load_judge, resized, shipped_judges
from simple_judges import SIZE, write_judge


def test_masks_are_where_the_object_is_likelier_than_not(tmp_path: Path) -> None:
    images = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    images[0, :, :, 0] = 255
    images[0, :4, :, 1] = 127
    images[0, 4:8, :, 1] = 128
    mask = Segmenter(write_judge(tmp_path, "segmenter")).masks(images)
    assert mask.dtype == np.uint8
    assert (mask[0, 4:8] == 255).all()
    assert np.count_nonzero(mask) == 4 * SIZE


def test_images_of_another_size_are_averaged_over_areas(tmp_path: Path) -> None:
    small = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.uint8)
    large = small.repeat(3, axis=1).repeat(3, axis=2)
    np.testing.assert_array_equal(resized(large, SIZE), small)
    segmenter = Segmenter(write_judge(tmp_path, "segmenter"))
    np.testing.assert_array_equal(segmenter.masks(large), segmenter.masks(small))


@pytest.mark.parametrize(("left", "right", "degrees"), [(200, 0, 0), (0, 200, 90), (90, 90, 45)])
def test_angles_are_those_of_cos_and_sin(
    left: int, right: int, degrees: float, tmp_path: Path
) -> None:
    images = np.zeros((3, SIZE, SIZE, 3), np.uint8)
    images[:, :, : SIZE // 2], images[:, :, SIZE // 2 :] = left, right
    angles = Heading(write_judge(tmp_path, "heading")).angles(images)
    assert angles.shape == (3,)
    assert np.degrees(angles) == pytest.approx(degrees, abs=1e-3)


def test_an_outline_counts_pixels_that_are_more_than_half_covered(tmp_path: Path) -> None:
    masks = np.zeros((1, 2 * SIZE, 2 * SIZE), np.uint8)
    masks[0, :, :SIZE] = 255
    masks[0, ::2, SIZE::2] = 255  # a quarter of each pixel
    outline = Heading(write_judge(tmp_path, "outline"))
    assert outline.angles(masks)[0] == 0
    masks[0, 1::2, SIZE:] = 255  # three quarters
    assert np.degrees(outline.angles(masks)[0]) == pytest.approx(45, abs=1e-3)


def test_many_pictures_get_the_answers_of_one(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (70, SIZE, SIZE, 3)).astype(np.uint8)
    heading = Heading(write_judge(tmp_path, "heading"), threads=1)
    alone = [heading.angles(images[i : i + 1])[0] for i in range(len(images))]
    np.testing.assert_array_equal(heading.angles(images), alone)
    assert heading.angles(images[:0]).shape == (0,)


def test_a_heading_judge_takes_no_masks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="heading: pictures of shape"):
        Heading(write_judge(tmp_path, "heading")).angles(np.zeros((2, SIZE, SIZE), np.uint8))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "newer than 1"),
        ({"kind": "umpire"}, "unreadable judge"),
        ({"sha256": "0" * 64}, "changed since export"),
        ({"file": "other.onnx"}, "missing from the judge"),
        ({"file": "../model.onnx"}, "outside the judge's folder"),
        ({"image_size": 0}, "unreadable judge"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(
    changes: dict[str, object], message: str, tmp_path: Path
) -> None:
    write_judge(tmp_path / "judge", "segmenter", **changes)
    with pytest.raises(PoseGenError, match=message) as error:
        load_judge(tmp_path / "judge")
    assert "\n" not in str(error.value)


def test_a_folder_without_a_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="no judge, "):
        load_judge(tmp_path)


def test_a_judge_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="kind heading, expected segmenter"):
        Segmenter(write_judge(tmp_path / "heading", "heading"))
    with pytest.raises(PoseGenError, match="kind segmenter, expected heading or outline"):
        Heading(write_judge(tmp_path / "segmenter", "segmenter"))


def test_a_damaged_graph_is_refused(tmp_path: Path) -> None:
    graph = write_judge(tmp_path, "segmenter") / "model.onnx"
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    with pytest.raises(PoseGenError, match="sha256 differs"):
        Segmenter(tmp_path)


def test_without_an_engine_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PoseGenError, match=r"posegen\[cpu\]"):
        Segmenter(write_judge(tmp_path, "segmenter"))


def test_shipped_judges_lie_in_the_package() -> None:
    assert shipped_judges().parts[-3:] == ("posegen_runtime", "models", "judges")
