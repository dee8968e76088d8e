from pathlib import Path

import numpy as np
import pytest

from posegen.metrics.values import read_values, write_values
from posegen_runtime.errors import PoseGenError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    columns = {"isim_a": np.array([0.25, np.nan, -1]), "iou_a": np.array([0, 0.123456789, 1])}
    write_values(tmp_path / "t.csv", ["x", "y, z", "w"], columns)
    read = read_values(tmp_path / "t.csv")
    assert len(read) == 3
    np.testing.assert_allclose(read.models["a"]["isim"], columns["isim_a"], rtol=1e-6)
    np.testing.assert_allclose(read.models["a"]["iou"], columns["iou_a"], rtol=1e-6)


def test_nameless_columns_and_objects(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("photo,object,iou,colour\na,7,0.5,3\nb,7,1,4\nc,2,0,5\n")
    table = read_values(file)
    assert list(table.models) == [""]
    assert table.objects.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"path,iou_a\nx,0.5\ny,nan?\n", "image 2, iou_a: 'nan?' is no number in [0, 1]"),
        (b"path,iou_a\nx,1.5\n", "image 1, iou_a: '1.5'"),
        (b"path,isim_a\nx,inf\n", "image 1, isim_a: 'inf'"),
        (b"path,iou_a\nx,0.5,9\n", "image 1 has 3 cells where the header names 2"),
        (b"path,iou_a,iou_a\nx,0.5,9\n", "the column iou_a stands there twice"),
        (b"path,score\nx,0.5\n", "no column named isim_MODEL or iou_MODEL"),
        (b"path,iou_a\n", "no rows of images"),
        (b"", "no rows of images"),
        (b'path,iou_a\n"x,0.5\n', "no readable CSV"),
        (b"\x89PNG\xff", "no text in UTF-8"),
    ],
)
def test_no_such_table(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(PoseGenError) as error:
        read_values(tmp_path / "t.csv")
    assert said in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "t.csv"))
