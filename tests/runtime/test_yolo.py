"""YOLO-seg labels against supervision, which reads them with OpenCV's `fillPoly`."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import supervision

from posegen_runtime.labels.polygons import draw, mask_to_polygons
from posegen_runtime.labels.yolo import YoloLabels, YoloWriter, label_rows
from shapes import hard_shapes, random_shape

SHAPES = hard_shapes() | {f"random {seed}": random_shape(seed) for seed in range(60)}
SHAPES = {name: mask for name, mask in SHAPES.items() if mask.any()}

SEVERAL_ROWS = {"far parts"}
"""Shapes of `hard_shapes` whose parts lie too far apart for a bridge."""


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> supervision.DetectionDataset:
    out = tmp_path_factory.mktemp("out")
    (out / "images").mkdir()
    categories = {"van": 5, "car": 3}
    labels, writer = YoloLabels(categories), YoloWriter(out / "labels/yolo", categories)
    for name, mask in SHAPES.items():
        cv2.imwrite(str(out / "images" / f"{name}.png"), mask)
        (out / labels.file(name)).write_text(labels.rows(mask, "van"))
        writer.add(f"{name}.png")
    writer.close()
    return supervision.DetectionDataset.from_yolo(
        images_directory_path=str(out / "images"),
        annotations_directory_path=str(out / "labels/yolo/labels"),
        data_yaml_path=str(out / "labels/yolo/data.yaml"),
    )


def test_supervision_reads_every_silhouette(dataset: supervision.DetectionDataset) -> None:
    assert dataset.classes == ["car", "van"]
    assert len(dataset) == len(SHAPES)
    for path, _, detections in dataset:
        mask = SHAPES[Path(path).stem] > 127
        assert set(detections.class_id) == {1}
        assert iou(detections.mask.any(axis=0), mask) >= 0.98, Path(path).stem


@pytest.mark.parametrize("name", hard_shapes())
def test_one_silhouette_is_one_row_unless_its_parts_are_far(name: str) -> None:
    rows = label_rows(SHAPES[name], 0).splitlines()
    assert (len(rows) > 1) == (name in SEVERAL_ROWS)


@pytest.mark.parametrize("name", ["solid", "hole", "many holes", "diagonal touch", "frame", "comb"])
@pytest.mark.parametrize("to_pixels", [np.round, np.floor])
def test_connected_silhouettes_come_back_exactly(name: str, to_pixels: np.ufunc) -> None:
    mask = SHAPES[name]
    (row,) = label_rows(mask, 0).splitlines()
    numbers = np.array(row.split()[1:], float).reshape(-1, 2)
    vertices = to_pixels(numbers * (mask.shape[1], mask.shape[0])).astype(np.int32)
    np.testing.assert_array_equal(draw([vertices], mask.shape), mask)


def test_coordinates_are_shares_of_the_image() -> None:
    for mask in SHAPES.values():
        for row in label_rows(mask, 4).splitlines():
            values = row.split()
            assert values[0] == "4"
            assert len(values) >= 7
            assert len(values) % 2 == 1
            assert all(0 <= float(value) < 1 for value in values[1:])


def test_an_empty_mask_has_no_polygon() -> None:
    assert mask_to_polygons(np.zeros((8, 8), np.uint8)) == []


def test_noise_takes_bounded_time() -> None:
    noise = np.random.default_rng(0).integers(0, 2, (64, 64), dtype=np.uint8) * 255
    assert mask_to_polygons(noise)


def test_ultralytics_finds_the_label_of_each_listed_image(
    dataset: supervision.DetectionDataset,
) -> None:
    folder = Path(dataset.image_paths[0]).parents[1] / "labels/yolo"
    lines = (folder / "train.txt").read_text().splitlines()
    assert len(lines) == len(SHAPES)
    for line in lines:
        image = folder / line
        label = Path(str(image).replace("/images/", "/labels/").rpartition(".")[0] + ".txt")
        assert image.is_file()
        assert label.is_file()
