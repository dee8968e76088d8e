import json
from pathlib import Path

import pytest

from posegen_calibration.cachefile import Calibration, read_calibration, write_calibration
from posegen_runtime.errors import PoseGenError

KEY = {"model": "a" * 64, "masks": "b" * 64, "method": "minmax", "seed": 0}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    held = Calibration(key=KEY, counts={"samples": 512}, ranges={"last": 1.5})
    write_calibration(tmp_path / "ranges.json", held)
    return tmp_path / "ranges.json"


def test_it_is_read_as_it_was_written_wherever_it_lies(file: Path, tmp_path: Path):
    moved = tmp_path / "elsewhere.json"
    file.rename(moved)
    assert read_calibration(moved, KEY).ranges == {"last": 1.5}
    assert json.loads(moved.read_text())["key"] == KEY


def test_its_folder_is_made(tmp_path: Path):
    held = Calibration(key=KEY, counts={"samples": 512}, ranges={"last": 1.5})
    file = tmp_path / "not" / "there" / "ranges.json"
    write_calibration(file, held)
    assert read_calibration(file, KEY) == held
    with pytest.raises(PoseGenError, match=r"ranges\.json: cannot be written"):
        write_calibration(file / "ranges.json", held)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model": "c" * 64}, "model (aaaaaaaaaaaa… there, cccccccccccc… here)"),
        ({"seed": 1, "method": "entropy"}, "method (minmax there, entropy here), seed (0 there"),
        ({"poses": "d" * 64}, "poses (none there, dddddddddddd… here)"),
    ],
)
def test_a_stale_one_is_refused_and_says_what_differs(file: Path, changed: dict, words: str):
    with pytest.raises(PoseGenError, match="measured on something else") as refused:
        read_calibration(file, {**KEY, **changed})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", ["", "[1]", '{"key": {}}', '{"key": 3, "counts": {}}'])
def test_what_is_no_calibration_is_refused(tmp_path: Path, content: str):
    file = tmp_path / "ranges.json"
    file.write_text(content)
    with pytest.raises(PoseGenError, match="is no calibration"):
        read_calibration(file, KEY)


def test_another_schema_is_refused(file: Path):
    held = json.loads(file.read_text()) | {"schema": 1}
    file.write_text(json.dumps(held))
    with pytest.raises(PoseGenError, match="schema 1"):
        read_calibration(file, KEY)


@pytest.mark.parametrize("value", ["-1.5", "1e999", "-1e999"])
def test_a_range_that_cannot_be_is_refused(file: Path, value: str):
    file.write_text(file.read_text().replace("1.5", value))
    with pytest.raises(PoseGenError) as refused:
        read_calibration(file, KEY)
    assert str(file) in str(refused.value)
    assert "delete it" in str(refused.value)
    assert "\n" not in str(refused.value)
