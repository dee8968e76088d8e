"""The table: means, spread, what cannot be told."""

import csv
import json
from pathlib import Path

from posegen.experiments.usefulness.config import Config
from posegen.experiments.usefulness.learners import Score
from posegen.experiments.usefulness.sets import Set
from posegen.experiments.usefulness.table import markdown, write

SCORES = {
    Set.PASTED_SIM: [
        Score(iou=0.8, yaw_median=4.0, yaw_flipped=0.1),
        Score(iou=0.9, yaw_median=6.0, yaw_flipped=0.3),
    ],
    Set.PASTED_PHOTOS: [Score(iou=0.7), Score(iou=0.7)],
}


def test_rows_hold_mean_and_spread() -> None:
    head, rule, sim, photos = markdown(SCORES, "trained on").splitlines()
    assert head.startswith("| trained on |")
    assert head.count("|") == rule.count("|") == sim.count("|") == photos.count("|")
    assert "0.850 (0.800 – 0.900) | 5.0° (4.0° – 6.0°) | 20.0% (10.0% – 30.0%)" in sim
    assert photos.endswith("| 0.700 (0.700 – 0.700) | no poses | no poses |")


def test_only_posegens_row_tells_what_made_its_images() -> None:
    scores = dict.fromkeys((Set.POSEGEN, Set.UNION), SCORES[Set.PASTED_SIM])
    _, _, generated, union = markdown(scores, "images", ", by a given model from mask").splitlines()
    assert "silhouettes, by a given model from mask |" in generated
    assert "given model" not in union


def test_one_seed_has_no_spread() -> None:
    one = markdown({Set.CEILING: [Score(iou=0.5, yaw_median=1.0, yaw_flipped=0.0)]}, "images")
    assert "| 0.500 | 1.0° | 0.0% |" in one


def test_files_hold_every_training(tmp_path: Path) -> None:
    write(SCORES, "text\n", Config(), {"labels": {}}, tmp_path)
    rows = list(csv.DictReader((tmp_path / "scores.csv").open()))
    assert len(rows) == 4
    assert rows[1]["iou"] == "0.9"
    assert rows[3]["yaw_median_deg"] == ""
    content = json.loads((tmp_path / "table.json").read_text())
    found = content["sets"]["1 sim pasted"]["yaw_flipped"]
    assert abs(found["mean"] - 0.2) < 1e-9
    assert abs(found["sd"] - 0.02**0.5) < 1e-9
    assert content["sets"]["2 cut-and-paste"]["yaw_median"] is None
    assert (tmp_path / "table.md").read_text() == "text\n"
