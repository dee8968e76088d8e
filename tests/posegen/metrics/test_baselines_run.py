import csv
import json
from pathlib import Path

import pytest

from posegen.cli import app
from posegen.config import Arch, Variant
from posegen_runtime.console import run_app
from simple_judges import write_judge
from small_inception import use_small_inception
from synthetic_dataset import write_dataset
from tiny_training import tiny_config, train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "d", train=30, test=12, size=32)


def run(data: Path, *arguments: object) -> int:
    return run_app(app, ["metrics", "baselines", str(data), *map(str, arguments)])


def test_the_rows_of_table_2(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = use_small_inception(monkeypatch, tmp_path)
    write_judge(tmp_path / "judges" / "segmenter", "segmenter")
    short = {"steps": 2, "evaluate_every": 2, "arch": Arch.BOTTLENECK}
    train(data, tmp_path / "ae", tiny_config(variant=Variant.AUTOENCODER, **short))
    train(data, tmp_path / "pose", tiny_config(variant=Variant.POSE, **short))
    table, rows = tmp_path / "t.csv", tmp_path / "r.json"
    options = ["--weights", weights, "--judges", tmp_path / "judges", "--surrogate"]
    options += ["--autoencoder", tmp_path / "ae", "--model", tmp_path / "pose"]
    options += ["--kid-subset-size", 10, "--csv", table, "--json", rows, "--device", "cpu"]
    assert run(data, *options) == 0

    found = {row["method"]: row["figures"] for row in json.loads(rows.read_bytes())}
    assert list(found) == [
        "Baseline: random RGB",
        "Oracle 1: autoencoder",
        "Oracle 2: random training image",
        "Oracle 3: closest training image by IoU",
        "pose",
    ]
    assert all(figure["value"] is not None for row in found.values() for figure in row.values())
    noise, _, drawn, closest, _ = found.values()
    for oracle in (drawn, closest):
        assert oracle["frechet_untrained"]["value"] < 0.7 * noise["frechet_untrained"]["value"]
    with table.open() as file:
        values = list(csv.DictReader(file))
    assert len(values) == 12
    assert (data / values[0]["path"]).is_file()
    assert "iou_pose" in values[0]


def test_models_of_another_size(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "--image-size", "64", "--surrogate") == 2
    assert "smaller than the model's 64" in capsys.readouterr().err


def test_a_split_that_is_empty(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "--split", "nothing") == 2
    assert "no samples in the split nothing" in capsys.readouterr().err
