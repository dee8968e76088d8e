"""Annotations of backgrounds: read in every form, cut by what is pasted, merged without clashes."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from posegen_runtime.errors import PoseGenError
from posegen_runtime.labels.background import BackgroundLabels, merged
from posegen_runtime.labels.coco import decode_mask, encode_mask

HEIGHT, WIDTH = 30, 40


def box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y0:y1, x0:x1] = 255
    return mask


TREE, LAMP, PEOPLE = box(2, 3, 20, 28), box(25, 1, 27, 20), box(30, 10, 40, 30)


def compressed(mask: np.ndarray) -> dict[str, Any]:
    found = encode_mask(mask)
    return {"size": list(found.size), "counts": found.counts}


def plain(mask: np.ndarray) -> dict[str, Any]:
    values = np.concatenate([[0], mask.T.ravel() > 0, [2]]).astype(int)
    edges = np.flatnonzero(np.diff(values) != 0)
    starts = np.concatenate([[0], edges]) if values[1] == 0 else np.concatenate([[0, 0], edges[1:]])
    counts = np.diff(starts).tolist()
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def content(**changes: Any) -> dict[str, Any]:
    shapes = [[[2, 3, 20, 3, 20, 28, 2, 28]], compressed(LAMP), plain(PEOPLE)]
    annotations = [
        {"id": n, "image_id": 5, "category_id": k, "segmentation": shape, "iscrowd": int(n == 3)}
        for n, (k, shape) in enumerate(zip((1, 2, 7), shapes, strict=True), 1)
    ]
    return {
        "info": {"year": 2020},
        "images": [{"id": 5, "file_name": "day/a.jpg", "width": WIDTH, "height": HEIGHT}],
        "annotations": annotations,
        "categories": [
            {"id": 1, "name": "tree"},
            {"id": 2, "name": "lamp"},
            {"id": 7, "name": "person"},
        ],
        **changes,
    }


def labels(folder: Path, data: object) -> BackgroundLabels:
    file = folder / "before.json"
    file.write_text(json.dumps(data))
    return BackgroundLabels(file)


@pytest.mark.parametrize(
    ("listed", "name"), [("day/a.jpg", "day/a.jpg"), ("a.jpg", "a.jpg"), ("a.jpg", "day/a.jpg")]
)
def test_every_form_is_read_and_cut(tmp_path: Path, listed: str, name: str) -> None:
    data = content()
    data["images"][0]["file_name"] = listed
    found = labels(tmp_path, data)
    new = box(10, 10, 33, 15)
    kept = list(found.remaining(name, [encode_mask(new)]))
    assert [(one.category, one.iscrowd) for one in kept] == [
        ("tree", 0),
        ("lamp", 0),
        ("person", 1),
    ]
    for one, before in zip(kept, (TREE, LAMP, PEOPLE), strict=True):
        left = cv2.subtract(before, new)
        assert np.array_equal(decode_mask(one.mask), left)
        assert one.mask == encode_mask(left)


def test_what_is_hidden_whole_is_dropped_and_what_is_not_touched_stays(tmp_path: Path) -> None:
    found = labels(tmp_path, content())
    two = [encode_mask(box(24, 0, 28, 12)), encode_mask(box(24, 10, 28, 25))]
    assert [one.category for one in found.remaining("day/a.jpg", two)] == ["tree", "person"]
    [tree, _] = found.remaining("day/a.jpg", two)
    assert tree.mask == encode_mask(TREE)
    assert list(found.remaining("day/b.jpg", two)) == []
    assert list(found.remaining("a.jpg", two)) == [], "of another folder"


@pytest.mark.parametrize(
    ("listed", "background", "image"),
    [
        ("night/a.jpg", "night/a.jpg", "night/a.jpg"),
        ("night/a.jpg", "a.jpg", None),
        ("night/a.jpg", "day/a.jpg", None),
        ("night/a.jpg", "deep/night/a.jpg", None),
        ("a.jpg", "deep/night/a.jpg", "a.jpg"),
        ("a.jpg", "aa.jpg", None),
    ],
)
def test_which_image_a_background_is(
    tmp_path: Path, listed: str, background: str, image: str | None
) -> None:
    data = content()
    data["images"][0]["file_name"] = listed
    assert labels(tmp_path, data).sizes.named(background) == image


@pytest.mark.parametrize("first", ["a.jpg", "day/a.jpg"])
def test_an_image_that_may_be_two_backgrounds(tmp_path: Path, first: str) -> None:
    bare = [{"id": 5, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}]
    one = labels(tmp_path, content(images=bare)).sizes
    one.check_names(["day/a.jpg", "b.jpg"])
    with pytest.raises(PoseGenError, match=rf"a\.jpg may be .* {first} or night/a\.jpg; list"):
        one.check_names([first, "night/a.jpg"])
    both = [*bare, bare[0] | {"id": 6, "file_name": "night/a.jpg"}]
    labels(tmp_path, content(images=both)).sizes.check_names([first, "night/a.jpg"])


def test_categories_keep_their_ids_where_they_are_free() -> None:
    ours = {"car": 1, "van": 2}
    theirs = {1: "tree", 2: "van", 7: "person", 0: "sky"}
    assert merged(ours, theirs) == {"car": 1, "van": 2, "person": 7, "sky": 8, "tree": 9}


def changed(**fields: Any) -> dict[str, Any]:
    whole = content()
    whole["annotations"][1] |= fields
    return whole


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "no COCO file of instances"),
        ({"images": []}, "no COCO file of instances"),
        (changed(segmentation=[]), "annotation 2 has no segmentation"),
        (changed(segmentation=None), "annotation 2 has no segmentation"),
        (changed(segmentation=[[1, 2, 3, 4]]), "annotation 2: a polygon needs three points"),
        (changed(segmentation={"size": [40, 30], "counts": "1"}), "annotation 2 is 30×40 pixels"),
        (changed(segmentation={"size": [30, 40], "counts": "zz"}), "its counts are not those"),
        (changed(segmentation={"size": [30, 40], "counts": "0o"}), "its counts are not those"),
        (changed(segmentation={"size": [30, 40], "counts": [5]}), "its counts are not those"),
        (changed(segmentation={"size": [30, 40], "counts": [-1, 1201]}), "counts are not those"),
        (changed(image_id=9), "annotation 2 is of no image in it"),
        (changed(category_id=9), "annotation 2 is of no category in it"),
        (content(images=content()["images"] * 2), "day/a.jpg, comes twice"),
        (content(categories=content()["categories"] * 2), "category 1, tree, comes twice"),
    ],
)
def test_files_that_are_no_such_annotations(tmp_path: Path, data: object, message: str) -> None:
    with pytest.raises(PoseGenError, match=rf"^--background-labels .*before\.json: .*{message}"):
        labels(tmp_path, data)


def test_compressed_counts_are_those_of_pycocotools(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        noise = cv2.resize(rng.integers(0, 256, (6, 8), np.uint8), (WIDTH, HEIGHT))
        mask = np.where(noise > rng.integers(40, 220), 255, 0).astype(np.uint8)
        if not mask.any():
            continue
        found = labels(tmp_path, changed(segmentation=compressed(mask)))
        kept = list(found.remaining("day/a.jpg", [encode_mask(box(0, 0, 1, 1) * 0)]))
        assert np.array_equal(decode_mask(kept[1].mask), mask)
        assert coco_mask.area(compressed(mask)) == kept[1].mask.area
