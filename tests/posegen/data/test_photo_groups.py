from pathlib import Path

import pytest

from posegen.data.photo_groups import Groups, hold_out, read_groups
from posegen_runtime.errors import PoseGenError

PHOTOS = [Path("a.jpg"), Path("in/b.jpg"), Path("in/c.png"), Path("out/c.png"), Path("d, e.jpg")]


def groups(tmp_path: Path, text: str) -> Groups:
    file = tmp_path / "groups.csv"
    file.write_text(text)
    return read_groups(file, PHOTOS)


def test_lines_name_photos_in_three_ways(tmp_path: Path) -> None:
    text = 'photo,group\n# old car\na,one\n\nb.jpg, two \n"in/c.png","one"\n'
    assert groups(tmp_path, text).of == {PHOTOS[0]: "one", PHOTOS[1]: "two", PHOTOS[2]: "one"}


def test_names_and_groups_may_hold_commas(tmp_path: Path) -> None:
    text = '"d, e.jpg","old, red"\na, one\n'
    assert groups(tmp_path, text).of == {PHOTOS[4]: "old, red", PHOTOS[0]: "one"}


def test_lines_that_name_no_photo_are_told(tmp_path: Path) -> None:
    read = groups(tmp_path, "photo,group\na,one\nz.jpg,one\ny,two\n")
    assert read.of == {PHOTOS[0]: "one"}
    assert read.strangers == ["line 3, z.jpg", "line 4, y"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a.jpg\n", "line 1: write it as photo,group"),
        ("d, e.jpg,one\n", "line 1: write it as photo,group, with quotes"),
        ("a,one\nc,two\n", "line 2: c fits 2 photos"),
        ("a,one\na.jpg,two\n", "a.jpg has the group one already"),
        ("z,one\n", "names none of the photos, such as a.jpg"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PoseGenError, match=says):
        groups(tmp_path, text)


def test_few_groups_hold_out_photos_of_each() -> None:
    assert hold_out({"a": 20, "b": 50}, 0.1, seed=0) == {"a": 2, "b": 5}
    assert hold_out({"a": 3, "b": 2}, 0.1, seed=0) == {"a": 1, "b": 0}
    assert hold_out({"a": 1}, 0.1, seed=0) == {"a": 0}
    assert hold_out({"a": 20}, 0, seed=0) == {"a": 0}


def test_many_groups_are_held_out_whole() -> None:
    photos = {str(number): number + 1 for number in range(20)}
    held = hold_out(photos, 0.1, seed=0)
    chosen = [name for name, count in held.items() if count]
    assert len(chosen) == 2
    assert all(held[name] == photos[name] for name in chosen)
    assert any(hold_out(photos, 0.1, seed=seed) != held for seed in range(1, 4))
