"""A bundle is read whole and unchanged, or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime import PoseGenError
from posegen_runtime.bundle import Bundle
from tiny_bundle import SIZE, write_tiny_bundle


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def edit(bundle: Path, **changes: Any) -> None:
    file = bundle / "bundle.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def refused(bundle: Path, message: str) -> None:
    with pytest.raises(PoseGenError, match=message) as caught:
        Bundle.load(bundle)
    assert "\n" not in str(caught.value)


def test_reads_what_the_manifest_says(bundle: Path) -> None:
    loaded = Bundle.load(str(bundle))
    assert loaded.image_size == (SIZE, SIZE)
    assert loaded.conditions == ["appearance", "background"]
    assert loaded.precision("fp32").graphs["generator"].path == "fp32/generator.onnx"
    with pytest.raises(PoseGenError, match="holds no fp16 variant, only fp32"):
        loaded.precision("fp16")


@pytest.mark.parametrize("name", ["fp32/generator.onnx", "golden/mask/000.png"])
def test_a_changed_byte_is_noticed_in_every_kind_of_file(bundle: Path, name: str) -> None:
    data = bytearray((bundle / name).read_bytes())
    data[-1] ^= 1
    (bundle / name).write_bytes(data)
    refused(bundle, rf"{name}: changed since export")


def test_a_missing_file(bundle: Path) -> None:
    (bundle / "fp32/generator_cached.onnx").unlink()
    refused(bundle, r"generator_cached\.onnx: missing from the bundle")


def test_a_newer_schema_says_so_whatever_else_it_holds(bundle: Path) -> None:
    (bundle / "bundle.json").write_text('{"schema": 2, "unknown": []}')
    refused(bundle, "bundle schema 2 is newer than 1")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": "one"}', "\xff"])
def test_a_manifest_that_is_none(bundle: Path, text: str) -> None:
    (bundle / "bundle.json").write_text(text, encoding="latin-1")
    refused(bundle, "bundle.json: unreadable bundle")


def test_folders_that_are_no_bundle(tmp_path: Path) -> None:
    refused(tmp_path, "not a bundle, bundle.json is missing")
    refused(tmp_path / "nowhere", "not a bundle")


def test_files_outside_the_bundle_are_refused(bundle: Path) -> None:
    record = {"sha256": "0" * 64, "bytes": 1}
    for name in ("../secret", "/etc/passwd"):
        edit(bundle, files={name: record})
        refused(bundle, "points outside the bundle")


def test_every_file_in_use_has_a_hash(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path)
    files = json.loads((bundle / "bundle.json").read_text())["files"]
    for name in ("fp32/conditions.onnx", "defaults/appearance.png", "golden/image/001.png"):
        edit(bundle, files={key: value for key, value in files.items() if key != name})
        refused(bundle, f"{name} has no recorded sha256")


def test_a_file_that_no_graph_names_has_a_hash_too(bundle: Path) -> None:
    """A graph's weights are named inside the graph only."""
    (bundle / ".DS_Store").write_bytes(b"")
    Bundle.load(bundle)
    (bundle / "fp32/weights.bin").write_bytes(b"weights")
    refused(bundle, "fp32/weights.bin has no recorded sha256")


@pytest.mark.parametrize("missing", ["generator", "conditions", "generator_cached"])
def test_a_graph_that_the_inputs_need(bundle: Path, missing: str) -> None:
    (precision,) = json.loads((bundle / "bundle.json").read_text())["precisions"]
    del precision["graphs"][missing]
    edit(bundle, precisions=[precision])
    refused(bundle, f"the fp32 variant has no graph {missing}; export")


@pytest.mark.parametrize("changes", [{"max_batch": 0}, {"image_size": [0, 64]}])
def test_sizes_that_are_none(bundle: Path, changes: dict[str, Any]) -> None:
    edit(bundle, **changes)
    refused(bundle, r"bundle\.json: unreadable bundle \(Expected `int` >= 1")


@pytest.mark.parametrize("name", ["bundle.json", "fp32/generator.onnx"])
def test_a_file_that_may_not_be_read(
    bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open

    def closed(file: Any, *args: Any, **kwargs: Any) -> Any:
        if Path(file) == bundle / name:
            raise PermissionError(13, "Permission denied")
        return opened(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", closed)
    monkeypatch.setattr("io.open", closed)
    refused(bundle, rf"{name}: cannot be read \(Permission denied\)")
