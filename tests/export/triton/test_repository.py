"""Repositories on disk: what is written, what is left alone, what a second export does."""

import json
import os
import shutil
from pathlib import Path

import pytest

from kserve_server import read_config
from posegen_export.triton import repository
from posegen_export.triton.repository import write_repository
from posegen_export.triton.serving import Options
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from resealed import reseal
from tiny_bundle import write_tiny_bundle


@pytest.fixture
def bundle(tmp_path) -> Path:
    return write_tiny_bundle(tmp_path / "bundle")


def add(bundle: Path, target: Path, **options):
    given = Options(**{"name": "cars", "max_batch": 4, **options})
    return write_repository(Bundle.load(bundle), given, target, print)


def tree(root: Path) -> dict[str, bytes]:
    files = (file for file in root.rglob("*") if file.is_file())
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def another(bundle: Path, folder: Path) -> Path:
    """A bundle of the same interface with other graphs."""
    shutil.copytree(bundle, folder)
    for file in folder.rglob("*.onnx"):
        file.write_bytes(file.read_bytes() + b"\x32\x00")  # an empty description
    return reseal(folder)


def test_what_is_written(bundle, tmp_path):
    written = add(bundle, tmp_path / "models/repository")
    assert (written.version, written.is_new) == (1, True)
    held = tree(tmp_path / "models/repository")
    names = ("cars", "cars_cached", "cars_conditions", "cars_shared")
    expected = {f"{name}/config.pbtxt" for name in names}
    expected |= {f"{name}/1/posegen.json" for name in names}
    expected |= {f"{name}/1/model.onnx" for name in names[:3]}
    assert held.keys() == expected
    assert held["cars/1/model.onnx"] == (bundle / "fp32/generator.onnx").read_bytes()
    record = json.loads(held["cars_cached/1/posegen.json"])
    assert record["bundle"] == "tiny"
    assert (record["precision"], record["backend"], record["engine"]) == ("fp32", "onnx", {})
    assert os.listdir(tmp_path / "models") == ["repository"]


def test_weights_beside_the_graph_come_along_in_a_folder_of_the_model_s_name(repository):
    bundle, root = repository("shipped", "int8")
    weights = {"cars": "int8", "cars_cached": "int8", "cars_conditions": "fp16"}
    for name, folder in weights.items():
        held = root / name / "1/model.onnx"
        assert sorted(os.listdir(held)) == ["model.onnx", "weights.bin"]
        source = bundle.root / folder / "weights.bin"
        assert (held / "weights.bin").read_bytes() == source.read_bytes()
        assert not os.path.samefile(held / "weights.bin", source)
    assert os.path.samefile(*(root / n / "1/model.onnx/weights.bin" for n in list(weights)[:2]))


def test_disks_without_links_get_copies(bundle, tmp_path, monkeypatch):
    def refuse(*arguments, **named):
        raise OSError(95, "Operation not supported")

    add(bundle, tmp_path / "linked")
    monkeypatch.setattr(os, "link", refuse)
    add(bundle, tmp_path / "copied")
    assert tree(tmp_path / "copied") == tree(tmp_path / "linked")


def test_the_same_again_changes_nothing(bundle, tmp_path):
    add(bundle, tmp_path / "out")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*")}
    written = add(bundle, tmp_path / "out")
    assert (written.version, written.is_new) == (1, False)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*")} == before


def test_other_options_are_no_new_version(bundle, tmp_path):
    add(bundle, tmp_path / "out")
    written = add(bundle, tmp_path / "out", instances=3)
    assert (written.version, written.is_new) == (1, False)
    assert read_config(tmp_path / "out/cars/config.pbtxt").instance_group[0].count == 3
    assert not list(tmp_path.rglob("*.part"))


def test_another_bundle_is_the_next_version_of_every_model(bundle, tmp_path):
    out = tmp_path / "out"
    add(bundle, out)
    before = tree(out)
    written = add(another(bundle, tmp_path / "second"), out)
    assert (written.version, written.is_new) == (2, True)
    after = tree(out)
    assert {name: after[name] for name in before if "/1/" in name} == {
        name: content for name, content in before.items() if "/1/" in name
    }
    assert after["cars/2/model.onnx"] != after["cars/1/model.onnx"]
    steps = read_config(out / "cars_shared/config.pbtxt").ensemble_scheduling.step
    assert [step.model_version for step in steps] == [2, 2]
    assert add(bundle, out).version == 3  # back to the first, by exporting it again


def test_models_out_of_step_are_brought_together(bundle, tmp_path):
    """As a kill between two renames leaves them."""
    out = tmp_path / "out"
    add(bundle, out)
    add(another(bundle, tmp_path / "second"), out)
    shutil.rmtree(out / "cars_shared/2")
    shutil.rmtree(out / "cars_conditions")
    assert add(tmp_path / "second", out).version == 3
    for name in ("cars", "cars_cached", "cars_conditions", "cars_shared"):
        assert (out / name / "3/posegen.json").is_file()


def test_other_models_and_hidden_files_stay(bundle, tmp_path):
    out = tmp_path / "out"
    (out / "theirs/1").mkdir(parents=True)
    (out / "theirs/1/model.onnx").write_bytes(b"theirs")
    (out / ".git").mkdir()
    add(bundle, out)
    assert (out / "theirs/1/model.onnx").read_bytes() == b"theirs"
    assert sorted(os.listdir(out)) == [
        ".git", "cars", "cars_cached", "cars_conditions", "cars_shared", "theirs",
    ]  # fmt: skip


def a_file(out: Path) -> None:
    out.write_text("")


def a_foreign_file(out: Path) -> None:
    out.mkdir()
    (out / "thesis.tex").write_text("")


def a_foreign_folder(out: Path) -> None:
    (out / "photos/summer").mkdir(parents=True)


def a_bundle(out: Path) -> None:
    write_tiny_bundle(out)


def a_model_of_that_name(out: Path) -> None:
    (out / "cars/1").mkdir(parents=True)
    (out / "cars/1/model.onnx").write_bytes(b"")


def a_damaged_record(out: Path) -> None:
    a_model_of_that_name(out)
    (out / "cars/1/posegen.json").write_text("{")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (a_file, "out: is no folder"),
        (a_foreign_file, "no model repository, as it holds thesis.tex"),
        (a_foreign_folder, "no model repository, as it holds photos"),
        (a_bundle, "out: is a bundle"),
        (a_model_of_that_name, "cars: is a model that posegen-export did not write"),
        (a_damaged_record, "posegen.json: unreadable record"),
    ],
)
def test_what_is_not_ours_is_left_alone(bundle, tmp_path, prepare, message):
    out = tmp_path / "out"
    prepare(out)
    before = tree(tmp_path)
    with pytest.raises(PoseGenError, match=message):
        add(bundle, out)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("variant", "viewpoint"), [("pose", False), ("pose-appearance-background", True)]
)
def test_a_model_of_another_interface_needs_another_name(bundle, tmp_path, variant, viewpoint):
    out = tmp_path / "out"
    add(bundle, out)
    before = tree(out)
    other = write_tiny_bundle(tmp_path / "other", variant, viewpoint=viewpoint)
    with pytest.raises(PoseGenError, match=r"all versions of a model must be alike.*--name"):
        add(other, out)
    assert tree(out) == before
    assert add(other, out, name="vans").version == 1


def test_an_edited_configuration_is_not_overwritten(bundle, tmp_path):
    out = tmp_path / "out"
    add(bundle, out)
    config = out / "cars/config.pbtxt"
    config.write_text(config.read_text().replace("count: 1", "count: 7"))
    with pytest.raises(PoseGenError, match=r"config\.pbtxt: was edited by hand"):
        add(bundle, out, instances=2)
    assert "count: 7" in config.read_text()
    config.unlink()
    assert add(bundle, out, instances=2).version == 1
    assert read_config(config).instance_group[0].count == 2


RENAMES = {"missing": 1, "empty": 4, "second": 5}
LAST = {"missing": "out", "empty": "out/cars_shared", "second": "out/cars_shared/config.pbtxt"}
"""By what is there before: one for all; each model; each version, and the ensemble naming it."""


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("before", "at"), [(before, at) for before, count in RENAMES.items() for at in range(count)]
)
@pytest.mark.parametrize("done", [False, True])
def test_whatever_ends_it_early_leaves_nothing(
    bundle, tmp_path, monkeypatch, error, before, at, done
):
    """`at`: the rename that fails, before it does anything or when it is done."""
    out = tmp_path / "out"
    given = bundle
    if before == "empty":
        out.mkdir()
    if before == "second":
        add(bundle, out)
        given = another(bundle, tmp_path / "second")
    held = tree(tmp_path), folders(tmp_path)
    renames = iter(range(100))

    def replace(source, target, real=os.replace):
        ends = next(renames) == at
        if done or not ends:
            real(source, target)
        if ends:
            raise error

    monkeypatch.setattr(repository.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt if error.args == () else PoseGenError):
        add(given, out)
    assert (tree(tmp_path), folders(tmp_path)) == held
    monkeypatch.undo()
    assert add(given, out).version == (2 if before == "second" else 1)


@pytest.mark.parametrize(("before", "count"), RENAMES.items())
def test_what_names_the_versions_of_others_comes_last(bundle, tmp_path, monkeypatch, before, count):
    if before == "empty":
        (tmp_path / "out").mkdir()
    if before == "second":
        add(bundle, tmp_path / "out")
    given = another(bundle, tmp_path / "second")
    done = []

    def replace(source, target, real=os.replace):
        done.append(target.relative_to(tmp_path).as_posix())
        real(source, target)

    monkeypatch.setattr(repository.os, "replace", replace)
    add(given, tmp_path / "out")
    assert (len(done), done[-1]) == (count, LAST[before])


def folders(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_dir()}


def test_a_repository_on_a_disk_of_its_own_is_written_there(bundle, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    staged = []

    def mkdtemp(*, dir, real=repository.tempfile.mkdtemp, **named):
        staged.append(dir)
        return real(dir=dir, **named)

    monkeypatch.setattr(repository.tempfile, "mkdtemp", mkdtemp)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    add(bundle, out)
    assert staged == [out]
    assert sorted(os.listdir(out)) == ["cars", "cars_cached", "cars_conditions", "cars_shared"]


def test_a_link_to_a_repository_stays_one(bundle, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    add(bundle, tmp_path / "out")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk/cars/1").is_dir()


def test_a_folder_of_another_writer_with_this_number_is_left_alone(bundle, tmp_path):
    """In two containers processes have the same numbers."""
    other = tmp_path / f".repository.{os.getpid()}.part"
    other.mkdir()
    (other / "theirs").touch()
    assert add(bundle, tmp_path / "repository").is_new
    assert (other / "theirs").exists()
    assert {path.name for path in tmp_path.glob(".*")} == {other.name}
