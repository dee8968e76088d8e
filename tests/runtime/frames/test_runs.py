"""Whole runs with `--paste`: frames, masks, labels, the same however they are made."""

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from posegen_runtime import making, reporting
from posegen_runtime.geometry import Fit, place
from posegen_runtime.images import cover_crop, read_rgb
from posegen_runtime.labels.coco import encode_mask
from posegen_runtime.report import ReportRow
from posegen_runtime.rows import Made, Written
from posegen_runtime.sinks.files import FileWriter
from posegen_runtime.verdicts import Seen, Verdict
from report_page import Page
from tiny_bundle import example_photo, write_tiny_bundle
from whole_runs import counts, outputs, posegen_run

HEIGHT, WIDTH = 120, 200
CENTERS = [(60, 50), (80, 70), (150, 60)]
DEPTHS = [9.0, 4.0, 6.0]
"""The second car hides a part of the first."""


def silhouette(frame: int, number: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y = CENTERS[number]
    cv2.ellipse(mask, (x + frame, y), (26, 16), 5 * frame, 0, 360, 255, -1)
    return mask


def pose(mask: str, frame: str, depth: float) -> dict[str, Any]:
    return {
        "mask": mask,
        "frame": frame,
        "category": "car",
        "R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "t_m2c": [0, 0, depth],
        "t_unit": "m",
        "cam_K": [150, 0, 99.5, 0, 150, 59.5, 0, 0, 1],
        "image_size": [WIDTH, HEIGHT],
        "camera_frame": "opencv",
        "pixel_center": "integer",
    }


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Three frames with three objects each, their poses, backgrounds of two sizes, photos."""
    (tmp_path / "masks").mkdir()
    lines = []
    for frame in range(3):
        for number in range(3):
            name = f"m{frame}{number}.png"
            cv2.imwrite(str(tmp_path / "masks" / name), silhouette(frame, number))
            lines.append(json.dumps(pose(name, f"f{frame}", DEPTHS[number])))
    (tmp_path / "poses.jsonl").write_text("\n".join(lines))
    for kind, count in (("photos", 4), ("streets", 3)):
        (tmp_path / kind).mkdir()
        for index in range(count):
            size = (WIDTH, HEIGHT) if index else (300, 150)
            photo = cv2.resize(example_photo(index + 7 * count), size)
            noise = np.random.default_rng(index).integers(0, 9, photo.shape, np.uint8)
            cv2.imwrite(str(tmp_path / kind / f"{index}.png"), cv2.add(photo, noise))
    return tmp_path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "bundle")


Run = Callable[..., Path]


@pytest.fixture
def run(inputs: Path, bundle: Path) -> Run:
    def go(name: str, *more: object, poses: bool = True, code: int = 0, **given: Path) -> Path:
        out = inputs / name
        arguments: list[object] = [
            "--bundle",
            bundle,
            "--masks",
            given.get("masks", inputs / "masks"),
        ]
        arguments += ["--background", given.get("background", inputs / "streets")]
        arguments += ["--appearance", inputs / "photos", "--paste", "--out", out]
        arguments += ["--poses", inputs / "poses.jsonl"] if poses else []
        assert posegen_run(*arguments, *more) == code
        return out

    return go


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").open()]


def read_mask(file: Path) -> np.ndarray:
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    return mask


def test_frames_masks_and_labels(run: Run, inputs: Path) -> None:
    out = run("out")
    assert sorted(p.name for p in (out / "images").iterdir()) == ["f0.png", "f1.png", "f2.png"]
    rows = rows_of(out)
    assert [row["image"] for row in rows] == [
        f"images/f{n}.png" for n in range(3) for _ in range(3)
    ]
    assert [row["mask"] for row in rows] == [f"m{n}{k}.png" for n in range(3) for k in range(3)]
    assert len({row["appearance"] for row in rows}) > 1, "drawn for each object"
    assert len({(row["frame"], row["background"]) for row in rows}) == 3, "and not the background"
    coco = COCO(out / "labels/coco/instances.json")
    assert len(coco.imgs) == 3
    for number in range(3):
        name = f"f{number}"
        [street] = {row["background"] for row in rows if row["frame"] == name}
        before = read_rgb(inputs / "streets" / street)
        image = read_rgb(out / "images" / f"{name}.png")
        assert image.shape == (HEIGHT, WIDTH, 3)
        whole = [read_mask(out / "masks" / f"{name}_{k}.png") for k in range(3)]
        outside = np.ones((HEIGHT, WIDTH), bool)
        for k, mask in enumerate(whole):
            assert np.array_equal(mask, silhouette(number, k))
            x0, y0, x1, y1 = place(mask, (32, 32), Fit.OBJECT).window
            outside[y0:y1, x0:x1] = False
        if before.shape == image.shape:
            assert np.array_equal(image[outside], before[outside])
        hidden = (whole[0] > 0) & (whole[1] > 0)
        [entry] = [i for i in coco.imgs.values() if i["file_name"] == f"{name}.png"]
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[entry["id"]]))
        seen = [coco_mask.decode(one["segmentation"]) > 0 for one in annotations]
        assert np.array_equal(seen[0], (whole[0] > 0) & ~hidden)
        assert np.array_equal(seen[1], whole[1] > 0)
        fraction = 1 - hidden.sum() / (whole[0] > 0).sum()
        shares = [row.get("visible_fraction", 1) for row in rows if row["frame"] == name]
        assert shares == [pytest.approx(fraction, abs=1e-6), 1, 1]
        text = (out / "labels/yolo/labels" / f"{name}.txt").read_text().splitlines()
        assert len(text) >= 3
    poses = [json.loads(line) for line in (out / "labels/poses.jsonl").open()]
    assert [one["cam_K"] for one in poses] == [[150, 0, 99.5, 0, 150, 59.5, 0, 0, 1]] * 9
    assert [one["image_size"] for one in poses] == [[WIDTH, HEIGHT]] * 9
    assert [(one["mask"], one["frame"]) for one in poses[:2]] == [
        ("f0_0.png", "f0"),
        ("f0_1.png", "f0"),
    ]


def test_processes_write_the_same_and_a_replay_and_shards_give_it_again(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = outputs(run("out", "--per-mask", 3, "--preview"))
    assert outputs(run("other", "--per-mask", 3, "--workers", 2)) == expected
    assert posegen_run("--replay", inputs / "out/run.json", "--out", inputs / "again") == 0
    assert json.loads((inputs / "again/replay.json").read_text())["counts"]["identical"] == 27
    parts = [run(f"part{n}", "--per-mask", 3, "--shard", f"{n}/2") for n in (1, 2)]
    assert posegen_run("--merge", "--out", inputs / "merged", *parts) == 0
    assert "27 objects in 9 images of 2 shards, 0 failed" in capsys.readouterr().out
    assert outputs(inputs / "merged") == expected


def test_a_frame_that_is_gone_is_made_again(run: Run) -> None:
    out = run("out")
    expected = outputs(out)
    (out / "masks/f1_2.png").unlink()
    (out / "images/f0.png").unlink()
    assert outputs(run("out")) == expected


def test_fresh_knows_frames_as_its_own(run: Run, inputs: Path) -> None:
    out = run("out", "--per-mask", 2)
    (out / "images/mine.png").write_bytes(b"mine")
    run("out", "--fresh", code=2)
    (out / "images/mine.png").unlink()
    run("out", "--fresh")


def test_a_broken_mask_costs_its_object_only(run: Run, inputs: Path) -> None:
    (inputs / "masks/m01.png").write_bytes(b"broken")
    cv2.imwrite(str(inputs / "masks/m10.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    out = run("out", code=1)
    assert counts(out).failed == 2
    states = {row["mask"]: (row["state"], row.get("image")) for row in rows_of(out)}
    assert states["m01.png"] == ("failed", None)
    assert states["m00.png"] == states["m02.png"] == ("done", "images/f0.png")
    coco = json.loads((out / "labels/coco/instances.json").read_text())
    assert len(coco["images"]) == 3, "an image of several objects is one, whatever failed between"
    whole = coco["annotations"][0]
    assert whole["area"] == cv2.countNonZero(silhouette(0, 0)), "what failed hides nothing"


def test_the_lowest_is_the_nearest_without_poses(run: Run, inputs: Path) -> None:
    for frame in range(3):
        for number in range(3):
            file = inputs / "masks" / f"m{frame}{number}.png"
            file.rename(inputs / "masks" / f"{frame:06}_{number:06}.png")
    rows = rows_of(run("out", poses=False))
    assert [row["image"] for row in rows[:4]] == [*["images/000000.png"] * 3, "images/000001.png"]
    assert [row.get("visible_fraction", 1) < 1 for row in rows] == [True, False, False] * 3


def test_what_is_told_of_objects_and_images(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(inputs / "masks/m10.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    far = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(far, CENTERS[1], 8, 255, -1)
    cv2.imwrite(str(inputs / "masks/m00.png"), far)
    out = run("out", "--labels", "none", code=1)
    said = capsys.readouterr()
    assert "8 objects done in 3 images, 1 failed in " in said.out
    assert " objects/s: " in said.out
    assert posegen_run("--status", "--out", out) == 0
    said = capsys.readouterr()
    assert "9 planned = 8 done + 0 rejected + 1 failed + 0 pending" in said.out
    assert "counts are of objects; those done are in 3 images" in said.out
    assert [row["visible_fraction"] for row in rows_of(out)[:1]] == [0]
    page = Page(out / "report.html")
    assert "Counts are of objects: 8 objects in 3 images done." in page.text
    assert "All 3 images done." in page.text
    assert page.alts == ["f0.png: 3 objects", "f1.png: 2 objects", "f2.png: 3 objects"]
    assert [outline.count("M") for outline in page.outlines] == [2, 2, 3], "one is hidden whole"
    assert page.source.count('<line class="x"') == 7
    run("out", "--labels", "none", "--retry-failed", code=1)
    assert "going on: 8 of 9 objects are done, 1 failed" in capsys.readouterr().err


def test_an_object_without_a_pose_is_in_the_part_of_its_frame(run: Run, inputs: Path) -> None:
    lines = (inputs / "poses.jsonl").read_text()
    for file in (inputs / "masks").iterdir():
        name = f"00000{file.name[1]}_00000{file.name[2]}.png"
        file.rename(file.with_name(name))
        lines = lines.replace(file.name, name)
    kept = [line for line in lines.splitlines() if "_000000" not in line]
    (inputs / "poses.jsonl").write_text("\n".join(kept))
    out = run("out", "--split", "0.5,0.5", "--per-mask", 2)
    rows = rows_of(out)
    assert {row["image"] for row in rows} == {f"images/f{n}-v{k}.png" for n in "012" for k in "01"}
    assert len({(row["frame"], row["split"]) for row in rows}) == 3
    for part in ("train", "val"):
        coco = json.loads((out / f"labels/coco/instances_{part}.json").read_text())
        names = {f"images/{image['file_name']}" for image in coco["images"]}
        assert names == {row["image"] for row in rows if row["split"] == part}


def test_ids_of_one_file_are_objects_of_one_frame(run: Run, inputs: Path) -> None:
    folder = inputs / "ids"
    folder.mkdir()
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    for value, number in ((7, 0), (3, 1), (5, 2)):
        ids[silhouette(0, number) > 0] = value
    cv2.imwrite(str(folder / "scene.png"), ids)
    out = run("out", "--mask-values", "each", poses=False, masks=folder)
    rows = rows_of(out)
    assert [row["mask_file"] for row in rows] == [f"masks/scene_{n}.png" for n in (3, 5, 7)]
    assert {row["image"] for row in rows} == {"images/scene.png"}
    assert len(list((out / "images").iterdir())) == 1


def test_its_own_poses_are_frames_again(run: Run, inputs: Path) -> None:
    out = run("out", "--per-mask", 2)
    poses = [json.loads(line) for line in (out / "labels/poses.jsonl").open()]
    assert {one["frame"] for one in poses} == {f"f{n}-v{k}" for n in range(3) for k in range(2)}
    (inputs / "poses.jsonl").write_bytes((out / "labels/poses.jsonl").read_bytes())
    rows = rows_of(run("again", masks=out / "masks"))
    assert [row["mask_file"] for row in rows[:4]] == [
        *(f"masks/f0-v0_{k}.png" for k in range(3)),
        "masks/f0-v1_0.png",
    ]


def test_pairs_name_frames(run: Run, inputs: Path) -> None:
    with (inputs / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("mask", "background"), ("f2", "1.png"), ("f0", "2.png")])
    rows = rows_of(run("out", "--pairs", inputs / "pairs.csv"))
    assert [(row["frame"], row["background"]) for row in rows[::3]] == [
        ("f2", "1.png"),
        ("f0", "2.png"),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "mask,appearance,background\nf0,0.png,1.png",
            "appearances are drawn for each object of a frame; leave the column appearance out",
        ),
        (
            "mask,background\nf0,1.png\nm01.png,1.png",
            "line 3: m01.png is a mask of the frame f0; the column mask names frames",
        ),
        (
            "mask,background\nf9,1.png",
            "line 2: there is no frame 'f9'; with --paste the column mask names frames, such as f0",
        ),
    ],
)
def test_pairs_that_do_not_name_frames(
    run: Run, inputs: Path, lines: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (inputs / "pairs.csv").write_text(lines)
    run("out", "--pairs", inputs / "pairs.csv", code=2)
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_a_single_object_needs_no_frame(run: Run, inputs: Path) -> None:
    rows = rows_of(run("out", poses=False))
    assert [(row["image"], row["mask_file"]) for row in rows[:2]] == [
        ("images/m00.png", "masks/m00.png"),
        ("images/m01.png", "masks/m01.png"),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--fit", "frame"), "--fit frame: --paste puts a crop around the object back"),
        (("--sink", "webdataset"), "--sink webdataset: does not take --paste"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], message: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("out", *options, code=2)
    assert message in capsys.readouterr().err


def test_bundles_and_runs_without_background(
    inputs: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--masks", inputs / "masks", "--paste", "--out", inputs / "out"]
    assert posegen_run("--bundle", bundle, *common) == 2
    assert "--paste: name the full-size frames to paste into" in capsys.readouterr().err
    other = write_tiny_bundle(tmp_path / "other", "pose-appearance")
    assert posegen_run("--bundle", other, *common) == 2
    assert "takes no background, so nothing that it makes fits into one" in capsys.readouterr().err


def test_an_object_that_nearly_fills_its_frame(run: Run, inputs: Path) -> None:
    wide = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(wide, (100, 64), (85, 50), 0, 0, 360, 255, -1)
    for file in (inputs / "masks").iterdir():
        file.unlink()
    cv2.imwrite(str(inputs / "masks/m00.png"), wide)
    shutil.copy(inputs / "masks/m00.png", inputs / "masks/000000.png")
    out = run("out", poses=False)
    [row, _] = rows_of(out)
    assert row["crop"]["window"] == [0, -40, 200, 160]
    image = read_rgb(out / row["image"])
    before = read_rgb(inputs / "streets" / row["background"])
    assert image.shape == (HEIGHT, WIDTH, 3)
    inside = cv2.erode(wide, np.ones((9, 9))) > 0
    before = before if before.shape == image.shape else cover_crop(before, (HEIGHT, WIDTH))
    change = np.abs(image.astype(float) - before).mean(axis=2)
    assert change[inside].mean() > 10
    assert np.array_equal(read_mask(out / row["mask_file"]), wide)
    alone = place(wide, (32, 32), Fit.OBJECT)
    assert alone.window == tuple(row["crop"]["window"])


def test_a_crop_much_larger_than_its_frame_and_masks_of_other_sizes(run: Run, inputs: Path) -> None:
    cv2.imwrite(str(inputs / "masks/m11.png"), silhouette(1, 1)[:100])
    out = run("out", code=1)
    reasons = {row["mask"]: row["reason"] for row in rows_of(out) if row["state"] == "failed"}
    assert "the mask is 200×100 pixels, its pose says 200×120" in reasons["m11.png"]
    for file in (inputs / "masks").iterdir():
        file.unlink()
    strip = np.zeros((60, WIDTH), np.uint8)
    strip[20:40, 10:190] = 255
    cv2.imwrite(str(inputs / "masks/strip.png"), strip)
    [row] = rows_of(run("strip", poses=False, code=1))
    assert (
        "the crop around the object takes 200×200 pixels, more than twice its frame of 200×60"
        in row["reason"]
    )


def test_without_poses_the_masks_of_a_frame_have_one_size(run: Run, inputs: Path) -> None:
    for number in range(3):
        file = inputs / "masks" / f"m0{number}.png"
        file.rename(inputs / "masks" / f"000000_{number:06}.png")
    cv2.imwrite(str(inputs / "masks/000000_000002.png"), silhouette(0, 2)[:100])
    out = run("out", poses=False, code=1)
    [bad] = [row for row in rows_of(out) if row["state"] == "failed"]
    assert "the mask is 200×100 pixels, another one of its frame 200×120" in bad["reason"]


def annotations(inputs: Path, **size: int) -> Path:
    """A tree in every street, hidden in part by the first object of each frame."""
    shown = {"width": WIDTH, "height": HEIGHT} | size
    images = [{"id": n, "file_name": f"{n}.png", **shown} for n in (1, 2)]
    tree = [[70, 0, 100, 0, 100, 119, 70, 119]]
    found = [
        {"id": n, "image_id": n, "category_id": 1, "segmentation": tree, "iscrowd": 0}
        for n in (1, 2)
    ]
    file = inputs / "before.json"
    file.write_text(
        json.dumps(
            {"images": images, "annotations": found, "categories": [{"id": 1, "name": "tree"}]}
        )
    )
    return file


def test_annotations_of_the_backgrounds_are_carried_over(run: Run, inputs: Path) -> None:
    before = annotations(inputs)
    (inputs / "streets/0.png").unlink()
    out = run("out", "--background-labels", before)
    coco = COCO(out / "labels/coco/instances.json")
    assert {one["name"]: one["id"] for one in coco.cats.values()} == {"car": 1, "tree": 2}
    tree = np.zeros((HEIGHT, WIDTH), bool)
    tree[0:119, 70:100] = True
    for number, image in coco.imgs.items():
        entries = coco.loadAnns(coco.getAnnIds(imgIds=[number]))
        assert [one["category_id"] for one in entries] == [1, 1, 1, 2]
        stem = Path(image["file_name"]).stem
        whole = [read_mask(out / "masks" / f"{stem}_{k}.png") > 0 for k in range(3)]
        left = coco_mask.decode(entries[3]["segmentation"]) > 0
        assert np.array_equal(left, tree & ~np.any(whole, axis=0))
    parts = [run(f"part{n}", "--background-labels", before, "--shard", f"{n}/2") for n in (1, 2)]
    assert posegen_run("--merge", "--out", inputs / "merged", *parts) == 0
    assert outputs(inputs / "merged") == outputs(out)
    before.write_text(before.read_text() + " ")
    assert posegen_run("--merge", "--out", inputs / "other", *parts) == 2


def test_annotations_of_another_size(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inputs / "streets/0.png").unlink()
    before = annotations(inputs, width=WIDTH + 1)
    run("out", "--background-labels", before, code=2)
    message = "before.json: 1.png is annotated at 201×120 pixels, its file is 200×120; give"
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_annotations_of_frames_that_masks_do_not_fit(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = annotations(inputs)
    (inputs / "streets/0.png").unlink()
    for file in sorted((inputs / "masks").iterdir())[1:]:
        cv2.imwrite(str(file), read_mask(file)[:110])
    out = run("out", "--background-labels", before, poses=False, code=1)
    reasons = {row["mask"]: row.get("reason", "") for row in rows_of(out)}
    assert not reasons.pop("m00.png")
    message = "is annotated at 200×120 pixels, the mask is 200×110"
    assert all(message in reason for reason in reasons.values())
    (inputs / "masks/m00.png").unlink()
    run("other", "--background-labels", before, poses=False, code=2)
    assert f"1.png {message}" in capsys.readouterr().err.replace("\n", " ")


def test_annotations_that_may_be_of_two_backgrounds(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = annotations(inputs)
    for name in ("a", "b"):
        (inputs / "streets" / name).mkdir()
        shutil.copy(inputs / "streets/1.png", inputs / "streets" / name)
    (inputs / "streets/1.png").unlink()
    run("out", "--background-labels", before, code=2)
    message = "its image 1.png may be the background a/1.png or b/1.png; list both"
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_backgrounds_smaller_than_their_frame(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    street = cv2.imread(str(inputs / "streets/1.png"))
    assert street is not None
    for number in range(12):
        small = number in (3, 11)
        size = (WIDTH + 50, HEIGHT - 1) if small else (WIDTH, HEIGHT)
        cv2.imwrite(str(inputs / f"streets/{number:02}.png"), cv2.resize(street, size))
    for name in "012":
        (inputs / f"streets/{name}.png").unlink()
    run("out", code=2)
    message = "the background 03.png is 250×119 pixels, smaller than the mask of 200×120; give"
    assert f"--paste: {message}" in capsys.readouterr().err.replace("\n", " ")
    (inputs / "streets/03.png").unlink()
    rows = rows_of(run("late", "--per-mask", 11, code=1))
    failed = [row for row in rows if row["state"] == "failed"]
    assert len(failed) == 9
    assert all("the background 11.png is 250×119 pixels" in row["reason"] for row in failed)


@pytest.mark.parametrize("labels", ["yolo", "none"])
def test_annotations_need_coco(
    run: Run, inputs: Path, labels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("out", "--background-labels", annotations(inputs), "--labels", labels, code=2)
    assert "add coco to --labels" in capsys.readouterr().err


def test_annotations_of_other_files(
    run: Run, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = annotations(inputs)
    before.write_text(before.read_text().replace(".png", ".jpg"))
    run("out", "--background-labels", before, code=2)
    assert "has no image of the backgrounds, such as 0.png" in capsys.readouterr().err


def test_what_is_rejected_is_not_painted_and_hides_nothing(
    run: Run, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run("without", "--fit", "object")
    call = FileWriter.__call__

    def rejecting(self: FileWriter, made: Sequence[Made]) -> list[Written]:
        judged = []
        for one in made:
            runs = encode_mask(one.prepared.mask).counts
            verdict = Verdict(
                iou=0.1,
                shift=1.0,
                size_ratio=3.0,
                reason="shows something else",
                seen=Seen(len(one.prepared.mask), runs, runs),
            )
            judged.append(
                Made(one.prepared, one.image, verdict if one.prepared.object == "1" else None)
            )
        return call(self, judged)

    def listing(out: Path, rows: Iterator[ReportRow], *more: Any, **given: Any) -> Path:
        reported.extend(rows)
        return out

    reported: list[ReportRow] = []
    monkeypatch.setattr(FileWriter, "__call__", rejecting)
    monkeypatch.setattr(reporting, "write_report", listing)
    out = run("out")
    for row in reported:
        whole = cv2.countNonZero(silhouette(int(row.mask[1]), int(row.mask[2])))
        assert row.area == pytest.approx(whole / (HEIGHT * WIDTH), rel=0.05), row.state
    rows = rows_of(out)
    assert [row["state"] for row in rows] == ["done", "done", "rejected"] * 3
    assert [row["image"] for row in rows[:3]] == [
        *["images/f0.png"] * 2,
        "rejected/images/f0_1.png",
    ]
    assert all(row.get("visible_fraction", 1) == 1 for row in rows)
    assert ["crop" in row for row in rows[:3]] == ["placement" not in row for row in rows[:3]]
    assert ["crop" in row for row in rows[:3]] == [True, True, False]
    assert len(json.loads((out / "labels/coco/instances.json").read_text())["images"]) == 3
    image, other = (read_rgb(folder / "images/f0.png") for folder in (out, expected))
    second = silhouette(0, 1) > 0
    second &= ~cv2.dilate(silhouette(0, 0), np.ones((5, 5))).astype(bool)
    assert not np.array_equal(image[second], other[second])
    [street] = {row["background"] for row in rows[:3]}
    before = read_rgb(inputs / "streets" / street)
    if before.shape == image.shape:
        assert np.array_equal(image[90:, 85:110], before[90:, 85:110])


@pytest.mark.parametrize(("shard", "planned"), [("1/1", 9), ("1/2", 6), ("2/2", 3)])
def test_status_knows_the_objects_of_frames_that_are_to_do(
    run: Run, inputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, shard: str, planned: int
) -> None:
    def status() -> str:
        assert posegen_run("--status", "--out", inputs / "out") == 0
        return str(capsys.readouterr().out)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(making, "run_jobs", killed)
        run("out", "--shard", shard, code=130)
    capsys.readouterr()
    assert f"{planned} planned = " in status()
    run("out", "--shard", shard)
    assert f"{planned} planned = {planned} done" in status()
