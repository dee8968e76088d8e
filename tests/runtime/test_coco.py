"""COCO labels against pycocotools: the mask that comes back is the mask that went in."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from posegen_runtime.labels.coco import CocoWriter, encode_mask
from shapes import hard_shapes, random_shape

SHAPES = hard_shapes() | {f"random {seed}": random_shape(seed) for seed in range(20)}


def read(folder: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(folder / "instances.json"))


def test_masks_come_back_bit_for_bit(tmp_path: Path) -> None:
    shapes = {name: mask for name, mask in SHAPES.items() if mask.any()}
    writer = CocoWriter(tmp_path, {"car": 3, "van": 5})
    for index, (name, mask) in enumerate(shapes.items()):
        writer.add(f"{name}.png", [(encode_mask(mask), "van" if index % 2 else "car")])
    writer.close()
    coco = read(tmp_path)
    assert {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())} == {3: "car", 5: "van"}
    assert len(coco.getCatIds()) == 2
    assert len(coco.anns) == len(coco.imgs) == len(shapes)
    for annotation in coco.anns.values():
        image = coco.imgs[annotation["image_id"]]
        mask = shapes[image["file_name"].removesuffix(".png")] > 127
        np.testing.assert_array_equal(coco.annToMask(annotation).astype(bool), mask)
        assert (image["height"], image["width"]) == mask.shape
        assert annotation["area"] == mask.sum()
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        extent = [columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert annotation["bbox"] == extent


def test_nothing_added_is_still_a_valid_file(tmp_path: Path) -> None:
    CocoWriter(tmp_path, {"car": 1}).close()
    coco = read(tmp_path)
    assert coco.imgs == {}
    assert [path.name for path in tmp_path.iterdir()] == ["instances.json"]


def test_the_file_appears_only_when_whole(tmp_path: Path) -> None:
    writer = CocoWriter(tmp_path, {"car": 1})
    writer.add("a.png", [(encode_mask(SHAPES["hole"]), "car")])
    assert not (tmp_path / "instances.json").exists()
    writer.close()
    assert len(json.loads((tmp_path / "instances.json").read_text())["images"]) == 1


def test_an_unknown_category_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        CocoWriter(tmp_path, {"car": 1}).add("a.png", [(encode_mask(SHAPES["hole"]), "bus")])


def test_objects_of_one_frame_are_annotations_of_one_image(tmp_path: Path) -> None:
    masks = [SHAPES["hole"], SHAPES["hole"][:, ::-1]]
    hidden = encode_mask(np.zeros_like(masks[0]))
    writer = CocoWriter(tmp_path, {"car": 1})
    writer.add("one.png", [(encode_mask(masks[0]), "car")])
    writer.add("two.png", [*((encode_mask(mask), "car") for mask in masks), (hidden, "car")])
    writer.close()
    coco = read(tmp_path)
    assert [len(coco.getAnnIds(imgIds=image)) for image in coco.imgs] == [1, 2]
    for annotation, mask in zip(coco.loadAnns(coco.getAnnIds(imgIds=2)), masks, strict=True):
        np.testing.assert_array_equal(coco.annToMask(annotation) > 0, mask > 127)
