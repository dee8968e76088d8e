"""A folder belongs to one set of options."""

from pathlib import Path

import pytest

from posegen.experiments.usefulness.config import Config, keep
from posegen_runtime.errors import PoseGenError


def test_the_same_options_go_on(tmp_path: Path) -> None:
    keep(Config(images=30), tmp_path / "run")
    (tmp_path / "run" / "renders").mkdir()
    keep(Config(images=30), tmp_path / "run")


def test_other_options_are_refused_by_name(tmp_path: Path) -> None:
    keep(Config(), tmp_path)
    with pytest.raises(PoseGenError, match=r"--posegen-steps \(was 4000\), --posegen \(was not"):
        keep(Config(posegen_steps=7, posegen="ab" * 32), tmp_path)


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(PoseGenError, match="not empty"):
        keep(Config(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(PoseGenError, match=r"config\.json: .+; remove the folder .+ to start anew"):
        keep(Config(), tmp_path)


def test_seeds_may_grow_and_nothing_else_with_them(tmp_path: Path) -> None:
    keep(Config(seeds=1), tmp_path)
    with pytest.raises(PoseGenError, match=r"options: --steps \(was 400\); give"):
        keep(Config(seeds=2, steps=7), tmp_path)
    keep(Config(seeds=2), tmp_path)
    with pytest.raises(PoseGenError, match=r"--seeds \(was 2\)"):
        keep(Config(seeds=1), tmp_path)
    keep(Config(seeds=2), tmp_path)
