import json
from pathlib import Path

import numpy as np
import pytest

from authors_sample import RESULTS, needs_authors
from posegen.cli import app
from posegen.metrics.analysis import analyse, correlation
from posegen.metrics.analysis_table import markdown
from posegen.metrics.values import ImageTable, read_values
from posegen_runtime.console import run_app

HERE = Path(__file__).parent
TABLE_2 = {
    "ae": (0.68, 0.40),
    "pose": (0.67, 0.26),
    # The paper prints 0.54; its own file gives 0.5459.
    "car_and_pose": (0.55, 0.00),
    "car_and_pose_and_background": (0.60, 0.03),
}
ZEROS = {"pose": 0.649, "car_and_pose": 0.953, "car_and_pose_and_background": 0.932}


def test_known_answers() -> None:
    table = read_values(HERE / "values.csv")
    good, blind = analyse(table).values()
    assert good.images == blind.images == 4
    assert good.isim.value == pytest.approx(0.5)
    assert good.iou.value == pytest.approx(0.375)
    assert good.iou_zero.value == 0.5
    assert good.iou_rest.value == pytest.approx(0.75)
    assert good.correlation.value == pytest.approx(0.35 / np.sqrt(0.2 * 0.6875))
    assert good.iou.low is not None
    assert good.iou.high is not None
    assert 0 <= good.iou.low < 0.375 < good.iou.high <= 1
    assert good.histograms["iou"].counts[0] == 2
    assert good.histograms["iou"].counts[10] == good.histograms["iou"].counts[-1] == 1
    assert sum(good.histograms["isim"].counts) == 4

    assert blind.isim.value == pytest.approx(0.6), "an empty cell is no value"
    assert blind.iou_zero.value == 1
    assert blind.iou_rest.value is None
    assert blind.correlation.value is None, "IoU does not vary"


def test_whole_objects_are_drawn() -> None:
    values = np.repeat(np.arange(12) / 12, 50)
    alone = ImageTable({"": {"iou": values}}, np.arange(600))
    grouped = ImageTable({"": {"iou": values}}, np.repeat(np.arange(12), 50))
    spans = []
    for table in (alone, grouped):
        found = analyse(table)[""].iou
        assert found.low is not None
        assert found.high is not None
        spans.append(found.high - found.low)
    assert spans[1] > 4 * spans[0]


def test_a_cosine_below_zero_is_in_the_histogram() -> None:
    table = ImageTable({"": {"isim": np.array([-0.5, 0.5, np.nan])}}, np.arange(3))
    histogram = analyse(table)[""].histograms["isim"]
    assert histogram.edges[0] == -0.5
    assert sum(histogram.counts) == 2
    assert analyse(table)[""].iou.value is None


def test_correlation_takes_images_with_both_values() -> None:
    columns = {"a": np.array([0, 1, 2, np.nan, 9.0]), "b": np.array([0, 1, 2, 7, np.nan])}
    assert correlation("a", "b")(columns) == pytest.approx(1)
    assert np.isnan(correlation("a", "c")(columns))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "figures.json"
    assert run_app(app, ["metrics", "analyse", str(HERE / "values.csv"), "--json", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({len(line) for line in lines}) == 1, "columns line up"
    assert lines[2].startswith("| good")
    assert "0.375" in lines[2]
    assert "50.0 %" in lines[2]
    assert json.loads(out.read_bytes())["good"]["correlation"]["value"] > 0.9


@needs_authors
def test_the_authors_results_give_table_2_and_figure_6() -> None:
    found = analyse(read_values(RESULTS))
    for model, (isim, iou) in TABLE_2.items():
        assert found[model].images == 148
        assert found[model].isim.value == pytest.approx(isim, abs=0.005)
        assert found[model].iou.value == pytest.approx(iou, abs=0.005)
    for model, share in ZEROS.items():
        assert found[model].iou_zero.value == pytest.approx(share, abs=5e-4)
    assert found["pose"].iou_rest.value == pytest.approx(0.739, abs=5e-4)
    assert found["pose"].correlation.value == pytest.approx(0.44, abs=0.005)
    assert found["ae"].correlation.value == pytest.approx(0.19, abs=0.005)
    # Bimodal and bell-shaped, as the paper describes Figure 6.
    pose, autoencoder = found["pose"].histograms["iou"], found["ae"].histograms["iou"]
    assert int(np.argmax(pose.counts)) == 0
    assert sum(pose.counts[1:10]) < sum(pose.counts[10:])
    assert 0.3 < autoencoder.edges[int(np.argmax(autoencoder.counts))] < 0.5
    assert markdown(found).count("\n") == 5
