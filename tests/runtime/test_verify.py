"""`posegen-run --verify`: what does not show its label is rejected, and everything says so."""

import json
import shutil
import tarfile
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from green_runs import EMPTY, GOOD, GREEN, RIGHT, WRONG, GreenRun
from posegen_runtime import making
from posegen_runtime.ledger import Counts, Ledger, State
from posegen_runtime.pipeline import generate_with
from posegen_runtime.verify import ELSEWHERE, NOTHING, TURNED
from simple_judges import write_judge
from tiny_bundle import SIZE
from whole_runs import counts, outputs, posegen_run, record, rows

Capture = pytest.CaptureFixture[str]
MIXED = [GOOD, EMPTY, WRONG, GOOD, GOOD, WRONG, GOOD]
STATES = ["done", "rejected", "rejected", "done", "done", "rejected", "done"]


@pytest.fixture
def green(tmp_path: Path, tiny_bundle: Path) -> GreenRun:
    run = GreenRun(tmp_path / "in", tiny_bundle)
    run.masks(MIXED)
    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_does_not_show_its_mask_stands_in_no_label(
    green: GreenRun, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    assert green(out) == 0
    said = capsys.readouterr()
    assert "4 images done, 3 rejected, 0 failed" in said.out
    assert "IoU below 0.900 are rejected" in said.err
    found = rows(out)
    assert [row["state"] for row in found] == STATES
    assert [row["reason"] for row in found if "reason" in row] == [NOTHING, ELSEWHERE, ELSEWHERE]
    assert found[0]["verdict"] == {"iou": 1.0, "shift": 0.0, "size_ratio": 1.0}
    assert found[1]["verdict"] == {"iou": 0.0, "shift": None, "size_ratio": 0.0}
    assert found[2]["verdict"]["size_ratio"] > 2
    done = ["00.png", "03.png", "04.png", "06.png"]
    rejected = ["01.png", "02.png", "05.png"]
    assert names(out / "images") == names(out / "masks") == done
    assert names(out / "rejected/images") == names(out / "rejected/masks") == rejected
    assert found[1]["image"] == "rejected/images/01.png"
    coco = json.loads((out / "labels/coco/instances.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == done
    assert len(coco["annotations"]) == 4
    assert names(out / "labels/yolo/labels") == [name.replace("png", "txt") for name in done]
    assert "01.png" not in (out / "labels/yolo/train.txt").read_text()
    assert counts(out) == Counts(planned=7, done=4, rejected=3, failed=0, pending=0)
    told = record(out)
    assert (told["rejected"], told["options"]["min_iou"]) == (3, 0.9)
    assert told["options"]["segmenter"] == str(green.segmenter)


def test_status_groups_what_was_rejected(green: GreenRun, tmp_path: Path, capsys: Capture) -> None:
    green(tmp_path / "out")
    capsys.readouterr()
    assert posegen_run("--status", "--out", tmp_path / "out") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "7 planned = 4 done + 3 rejected + 0 failed + 0 pending" in said
    assert "rejected │ 2 │" in said
    assert "rejected │ 1 │" in said


def test_failed_and_rejected_images_add_up(green: GreenRun, tmp_path: Path) -> None:
    cv2.imwrite(str(green.folder / "masks/03.png"), np.zeros((SIZE, SIZE), np.uint8))
    assert green(tmp_path / "out") == 1
    assert counts(tmp_path / "out") == Counts(planned=7, done=3, rejected=3, failed=1, pending=0)


@pytest.mark.parametrize(
    "shape", [("--lanes", 1, "--batch", 1), ("--lanes", 3, "--batch", 4), ("--workers", 2)]
)
def test_verdicts_are_the_same_in_every_shape(
    green: GreenRun, tmp_path: Path, shape: tuple[object, ...]
) -> None:
    poses = ("--poses", green.poses(range(7)), "--heading-judge", green.heading)
    assert green(tmp_path / "usual", *poses) == 0
    assert green(tmp_path / "other", *poses, *shape) == 0
    assert outputs(tmp_path / "other") == outputs(tmp_path / "usual")
    assert "rejected/images/01.png" in outputs(tmp_path / "other")


def test_a_generator_that_is_given_other_masks_is_found_out(
    green: GreenRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    green.masks([GOOD] * 5)

    def flipped(generator: object) -> object:
        right = generate_with(generator)  # type: ignore[arg-type]
        return lambda prepared: right(
            [msgspec.structs.replace(p, mask=np.ascontiguousarray(p.mask.T)) for p in prepared]
        )

    assert green(tmp_path / "right") == 0
    assert counts(tmp_path / "right").rejected == 0
    monkeypatch.setattr(making, "generate_with", flipped)
    assert green(tmp_path / "wrong") == 0
    assert counts(tmp_path / "wrong").rejected == 5
    assert "5 of 5 images were rejected" in record(tmp_path / "wrong")["warnings"][0]


def test_min_iou_decides(green: GreenRun, tmp_path: Path) -> None:
    assert green(tmp_path / "none", "--min-iou", 0) == 0
    assert counts(tmp_path / "none").rejected == 0
    assert rows(tmp_path / "none")[1]["verdict"]["iou"] == 0
    iou = rows(tmp_path / "none")[2]["verdict"]["iou"]
    assert green(tmp_path / "some", "--min-iou", iou) == 0
    assert [row["state"] for row in rows(tmp_path / "some")][:3] == ["done", "rejected", "done"]


@pytest.mark.parametrize("frame", ["opencv", "opengl"])
def test_what_faces_the_wrong_way_is_rejected(green: GreenRun, tmp_path: Path, frame: str) -> None:
    green.masks([GOOD, GOOD, RIGHT, RIGHT, WRONG, GOOD])
    poses = green.poses([20, 200, 80, -80, 200], frame)
    more = ("--poses", poses, "--heading-judge", green.heading)
    assert green(tmp_path / "out", *more) == 0
    found = rows(tmp_path / "out")
    reasons = [row.get("reason") for row in found]
    assert reasons == [None, TURNED, None, TURNED, ELSEWHERE, None]
    errors = [row["verdict"].get("heading_error_deg") for row in found]
    assert errors[5] is None  # it has no pose
    # The silhouette itself lightens both halves a little.
    assert errors[:4] == pytest.approx([5, 160, 15, 145], abs=20)
    assert green(tmp_path / "without", "--poses", poses) == 0
    assert [row["state"] for row in rows(tmp_path / "without")].count("rejected") == 1


def test_measuring_only_rejects_no_heading_either(
    green: GreenRun, tmp_path: Path, capsys: Capture
) -> None:
    green.masks([GOOD, EMPTY])
    more = ("--poses", green.poses([200, 20]), "--heading-judge", green.heading)
    assert green(tmp_path / "out", *more, "--min-iou", 0) == 0
    found = rows(tmp_path / "out")
    assert [row["state"] for row in found] == ["done", "done"]
    assert found[0]["verdict"]["heading_error_deg"] > 90
    assert "measured only" in capsys.readouterr().err


@pytest.mark.parametrize("given", [("--verify", "judges/mine"), ("--verify=judges/mine",)])
def test_verify_takes_no_folder(green: GreenRun, capsys: Capture, given: tuple[str, ...]) -> None:
    assert posegen_run("--masks", green.folder / "masks", "--out", "out", *given) == 2
    assert "--verify --segmenter judges/mine" in capsys.readouterr().err


def test_the_models_axes_turn_the_heading(green: GreenRun, tmp_path: Path) -> None:
    """The bundle takes no viewpoint; the judge needs the frame all the same."""
    green.masks([GOOD, GOOD])
    more = ("--poses", green.poses([20, 200]), "--heading-judge", green.heading)
    assert green(tmp_path / "out", *more, "--model-forward", "-x") == 0
    assert [row["state"] for row in rows(tmp_path / "out")] == ["rejected", "done"]
    assert green(tmp_path / "out", *more, "--model-forward", "x") == 2


def test_seen_from_straight_above_an_object_heads_nowhere(green: GreenRun, tmp_path: Path) -> None:
    green.masks([GOOD])
    poses = green.poses([200])
    pose = json.loads(poses.read_text())
    poses.write_text(json.dumps(pose | {"R_m2c": [1, 0, 0, 0, -1, 0, 0, 0, -1]}))
    assert green(tmp_path / "out", "--poses", poses, "--heading-judge", green.heading) == 0
    assert "heading_error_deg" not in rows(tmp_path / "out")[0]["verdict"]


def test_the_same_command_leaves_rejected_images_alone(
    green: GreenRun, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    green(out)
    made = outputs(out)
    for more in ((), ("--retry-failed",)):
        assert green(out, *more) == 0
        assert "(0 now), 3 rejected" in capsys.readouterr().out
    shutil.rmtree(out / "rejected")  # nobody needs them
    (out / "images/03.png").unlink()
    assert green(out) == 0
    assert "(1 now), 3 rejected" in capsys.readouterr().out
    assert outputs(out) == {name: made[name] for name in made if "rejected/" not in name}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("--min-iou", 0.8), "--min-iou (0.9 there, 0.8 here)"),
        (("--heading-judge", "heading", "--poses", "poses.jsonl"), "--heading-judge"),
    ],
)
def test_other_judges_are_another_run(
    green: GreenRun, tmp_path: Path, capsys: Capture, changed: tuple[object, ...], words: str
) -> None:
    out = tmp_path / "out"
    green.poses([0])
    green(out)
    there = [green.folder / str(c) if (green.folder / str(c)).exists() else c for c in changed]
    assert green(out, *there) == 2
    assert words in capsys.readouterr().err
    assert posegen_run(*green.arguments(out)) == 2
    assert "--verify" in capsys.readouterr().err
    write_judge(green.segmenter, "segmenter", size=SIZE // 2, figures={"iou_p05": 0.9})
    assert green(out) == 2
    assert "--segmenter" in capsys.readouterr().err


def test_fresh_removes_rejected_images_and_nothing_else(
    green: GreenRun, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out"
    green(out)
    (out / "rejected/images/mine.png").write_bytes(b"x")
    assert green(out, "--fresh") == 2
    assert "rejected/images/mine.png was not written by a run" in capsys.readouterr().err
    (out / "rejected/images/mine.png").unlink()
    green.masks([GOOD] * 7)
    assert green(out, "--fresh") == 0
    assert not (out / "rejected").exists()


def test_shards_merge_to_the_whole(green: GreenRun, tmp_path: Path, capsys: Capture) -> None:
    whole, parts = tmp_path / "whole", [tmp_path / f"part{index}" for index in (1, 2)]
    green(whole)
    for index, part in enumerate(parts, 1):
        green(part, "--shard", f"{index}/2")
    assert posegen_run("--merge", *parts, "--out", tmp_path / "merged") == 0
    assert "4 images of 2 shards, 3 rejected, 0 failed" in capsys.readouterr().out
    assert outputs(tmp_path / "merged") == outputs(whole)
    shutil.rmtree(parts[0] / "rejected")
    assert posegen_run("--merge", *parts, "--out", tmp_path / "again") == 0
    assert counts(tmp_path / "again") == counts(whole)


def test_a_replay_gives_the_same_verdicts(green: GreenRun, tmp_path: Path, capsys: Capture) -> None:
    green(tmp_path / "out")
    again = ("--replay", tmp_path / "out/run.json", "--out")
    assert posegen_run(*again, tmp_path / "again") == 0
    assert counts(tmp_path / "again") == counts(tmp_path / "out")
    assert "7 identical" in capsys.readouterr().out
    shutil.move(green.segmenter, green.folder / "moved")
    assert posegen_run(*again, tmp_path / "no") == 2
    moved = ("--segmenter", green.folder / "moved")
    assert posegen_run(*again, tmp_path / "moved", *moved) == 0
    write_judge(green.folder / "moved", "segmenter", size=SIZE // 2, figures={"iou_p05": 0.9})
    assert posegen_run(*again, tmp_path / "other", *moved) == 2
    assert "was made with another --segmenter" in capsys.readouterr().err


def test_shards_hold_what_was_accepted(green: GreenRun, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert green(out, "--sink", "webdataset") == 0
    with tarfile.open(out / "shards/shard-000000.tar") as tar:
        held = tar.getnames()
        sample = json.loads(tar.extractfile("00.json").read())  # type: ignore[union-attr]
    assert [name for name in held if name.endswith(".json")] == [
        f"{name}.json" for name in ("00", "03", "04", "06")
    ]
    assert sample["verdict"] == {"iou": 1.0, "shift": 0.0, "size_ratio": 1.0}
    assert names(out / "rejected/images") == ["01.png", "02.png", "05.png"]
    states = json.loads((out / "shards/shard-000000.json").read_text())["states"]
    assert states == {"done": 4, "rejected": 3}
    shutil.rmtree(out / "rejected")
    assert green(out, "--sink", "webdataset") == 0
    assert not (out / "rejected").exists()


def test_a_rejected_object_of_a_frame_is_not_pasted(green: GreenRun, tmp_path: Path) -> None:
    """The second of three objects stands before a green wall, so its crop shows more than it."""
    shutil.rmtree(green.folder / "masks")
    (green.folder / "masks").mkdir()
    street = np.zeros((90, 300, 3), np.uint8)
    street[:, 120:180] = GREEN
    cv2.imwrite(str(green.folder / "street.png"), street)
    lines = []
    for number in range(3):
        mask = np.zeros((90, 300), np.uint8)
        cv2.ellipse(mask, (50 + 100 * number, 45), (18, 12), 0, 0, 360, 255, -1)
        cv2.imwrite(str(green.folder / f"masks/{number}.png"), mask)
        pose = {
            "mask": f"{number}.png",
            "frame": "f",
            "t_m2c": [0, 0, 9],
            "t_unit": "m",
            "R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1],
            "cam_K": [99, 0, 150, 0, 99, 45, 0, 0, 1],
            "image_size": [300, 90],
            "camera_frame": "opencv",
            "pixel_center": "half",
        }
        lines.append(json.dumps(pose) + "\n")
    (green.folder / "poses.jsonl").write_text("".join(lines))
    out = tmp_path / "out"
    given = [
        *("--verify", "--segmenter", green.segmenter, "--bundle", green.bundle, "--out", out),
        *("--masks", green.folder / "masks", "--poses", green.folder / "poses.jsonl", "--paste"),
        *("--appearance", green.folder / "appearance/green.png", "--fit", "object"),
        *("--background", green.folder / "street.png", "--backend", "cpu"),
    ]
    assert posegen_run(*given) == 0
    states = {row["mask"]: row["state"] for row in rows(out)}
    assert states == {"0.png": "done", "1.png": "rejected", "2.png": "done"}
    assert counts(out) == Counts(planned=3, done=2, rejected=1, failed=0, pending=0)
    (image,) = (out / "images").iterdir()
    made = cv2.imread(str(image))
    assert (made[:, 100:200] == street[:, 100:200]).all()
    assert (made[:, :100] != street[:, :100]).any()
    coco = json.loads((out / "labels/coco/instances.json").read_text())
    assert (len(coco["images"]), len(coco["annotations"])) == (1, 2)
    with Ledger.open(out, write=False) as ledger:
        (row,) = ledger.rows([State.REJECTED])
    assert cv2.imread(str(out / row.image)).shape == (SIZE, SIZE, 3)
    assert row.data.pose is not None
    assert row.data.pose.image_size == (SIZE, SIZE)  # the crop's, as its image is
    assert (out / "report.html").stat().st_size > 10_000


def test_a_night_of_rejections_is_announced_early(
    green: GreenRun, tmp_path: Path, capsys: Capture
) -> None:
    green.masks([EMPTY] * 33)
    assert green(tmp_path / "out") == 0
    assert "the first 32 images were all rejected" in capsys.readouterr().err
    green.masks([GOOD] + [EMPTY] * 33)
    assert green(tmp_path / "one") == 0
    assert "the first 32" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--segmenter", "segmenter"), "--segmenter: does nothing by itself; add --verify"),
        (("--min-iou", 0.5), "--min-iou: does nothing by itself; add --verify"),
        (("--verify", "--segmenter", "heading"), "is a judge of kind heading, expected segmenter"),
        (("--verify", "--segmenter", "masks"), "no judge, judge.json is missing"),
        (("--verify", "--segmenter", "bare"), "holds no iou_p05"),
        (("--verify", "--heading-judge", "heading"), "no mask's heading is known; add --poses"),
        (
            ("--verify", "--heading-judge", "outline", "--poses", "poses.jsonl"),
            "sees masks and no images",
        ),
    ],
)
def test_bad_use(
    green: GreenRun, tmp_path: Path, capsys: Capture, options: tuple[object, ...], message: str
) -> None:
    green.poses([0])
    write_judge(green.folder / "bare", "segmenter", size=SIZE)
    write_judge(green.folder / "outline", "outline", size=SIZE)
    given = [green.folder / str(o) if (green.folder / str(o)).exists() else o for o in options]
    assert posegen_run(*green.arguments(tmp_path / "out", *given)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_run_without_verify_asks_nobody(green: GreenRun, tmp_path: Path) -> None:
    assert posegen_run(*green.arguments(tmp_path / "out")) == 0
    assert all("verdict" not in row for row in rows(tmp_path / "out"))
    assert counts(tmp_path / "out").done == 7
