import csv
from pathlib import Path

import numpy as np
import pytest

from posegen.cli import app
from posegen.experiments.report.tables import (
    table_markdown,
    write_image_values,
    write_markdown,
    write_table,
)
from posegen.metrics.values import IOU, read_values
from posegen_runtime.console import run_app
from small_experiment import small_experiment


def test_the_table_names_groups_reasons_and_notes() -> None:
    lines = table_markdown(small_experiment()).splitlines()
    starts = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert starts == [
        "Method",
        starts[1],
        "**baseline and oracles**",
        "Baseline: random RGB",
        "**the paper's architecture**",
        "Oracle 1: autoencoder",
        "Unconditional",
        "Pose",
        "**our architecture**",
        "Ours <b> \\",  # the bar in the name is escaped
    ]
    assert len({len(line) for line in lines if line.startswith("|")}) == 1
    assert "- IoU: no masks" in lines
    assert "- Pose: best at step 3" in lines
    assert "- FID is unavailable: no weights <here>" in lines


def test_markdown_ends_with_further_tables_and_the_settings(tmp_path: Path) -> None:
    write_markdown(tmp_path / "table.md", small_experiment())
    text = (tmp_path / "table.md").read_text()
    assert text.startswith("# Small & quick\n")
    assert "\n## Further\n\nSome & text.\n\n|  | a < b |\n|---|---|\n| Pose | 0.4\\|5 |\n" in text
    assert text.endswith("| Steps | 3 \\| 4 |\n| Seed | 0 |\n")


def test_a_line_a_row_with_both_ends_and_reasons(tmp_path: Path) -> None:
    experiment = small_experiment()
    write_table(tmp_path / "table.csv", experiment)
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = {row["key"]: row for row in csv.DictReader(file)}
    assert list(rows) == [each.key for each in experiment.results]
    for result in experiment.results:
        line, figure = rows[result.key], result.row.figures[IOU]
        if figure.value is None:
            assert line["iou"] == line["iou_low"] == ""
            assert "IoU: no masks" in line["missing"]
        else:
            assert float(line["iou"]) == pytest.approx(figure.value)
            assert float(line["iou_high"]) - float(line["iou_low"]) == pytest.approx(0.02)
        assert "FID: unavailable" in line["missing"]
        assert line["fid"] == ""
        assert (line["method"], line["note"]) == (result.row.method, result.note)


def test_values_are_read_back_by_analyse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = small_experiment()
    path = tmp_path / "values.csv"
    write_image_values(path, experiment)
    table = read_values(path)
    assert table.objects.tolist() == (np.arange(20) // 2).tolist()
    pose = experiment.results[3].values
    np.testing.assert_allclose(table.models["Pose"]["iou"], pose["iou"], rtol=1e-6)
    np.testing.assert_allclose(table.models["Pose"]["isim"], pose["isim"], rtol=1e-6)
    assert set(table.models["Unconditional"]) == {"isim"}
    assert run_app(app, ["metrics", "analyse", str(path)]) == 0
    assert "Oracle-1:-autoencoder" in capsys.readouterr().out
