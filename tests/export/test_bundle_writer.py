from pathlib import Path

import pytest

from posegen_export.bundle_writer import check_target, staging
from posegen_runtime.errors import PoseGenError


def test_a_failed_export_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), staging(tmp_path / "bundle") as root:  # noqa: PT012
        (root / "half").write_text("half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_keeps_the_earlier_bundle(tmp_path):
    earlier = tmp_path / "bundle"
    earlier.mkdir()
    (earlier / "bundle.json").write_text("earlier")
    check_target(earlier)
    with pytest.raises(RuntimeError), staging(earlier):
        raise RuntimeError
    assert (earlier / "bundle.json").read_text() == "earlier"
    with staging(earlier) as root:
        (root / "bundle.json").write_text("later")
    assert (earlier / "bundle.json").read_text() == "later"
    assert list(tmp_path.iterdir()) == [earlier]


@pytest.mark.parametrize("after", [1, 2])
def test_ctrl_c_between_two_renames_loses_nothing(tmp_path, monkeypatch, after):
    earlier = tmp_path / "bundle"
    earlier.mkdir()
    (earlier / "bundle.json").write_text("earlier")
    replace, calls = Path.replace, []

    def interrupted(path, target):
        calls.append(replace(path, target))
        if len(calls) == after:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), staging(earlier) as root:
        (root / "bundle.json").write_text("later")
    assert (earlier / "bundle.json").read_text() == ("earlier" if after == 1 else "later")
    assert list(tmp_path.iterdir()) == [earlier]


def test_what_is_no_bundle_is_not_touched(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").write_text("x")
    for path in (file, full):
        with pytest.raises(PoseGenError, match="exists and is not a bundle"):
            check_target(path)
    (tmp_path / "empty").mkdir()
    check_target(tmp_path / "empty")
    check_target(tmp_path / "new")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    target = tmp_path / "file" / "bundle"
    with pytest.raises(PoseGenError, match=r"bundle: cannot be written"), staging(target):
        pass
