"""Bundles that are damaged, changed or not of this version."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c_programs import Built
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import SHIPPED_BUNDLE
from resealed import reseal
from tiny_graphs import save_generator

Change = Callable[[Path], object]


def manifest(root: Path, **changes: Any) -> None:
    content = json.loads((root / "bundle.json").read_text())
    (root / "bundle.json").write_text(json.dumps({**content, **changes}))


def edited(edit: Callable[[Any], object]) -> Change:
    def change(root: Path) -> None:
        content = json.loads((root / "bundle.json").read_text())
        edit(content)
        (root / "bundle.json").write_text(json.dumps(content))

    return change


def appended(name: str) -> Change:
    return lambda root: (root / name).write_bytes((root / name).read_bytes() + b"\0")


def flipped(name: str) -> Change:
    def change(root: Path) -> None:
        content = bytearray((root / name).read_bytes())
        content[len(content) // 2] ^= 1
        (root / name).write_bytes(content)

    return change


def text(content: bytes) -> Change:
    return lambda root: (root / "bundle.json").write_bytes(content)


CACHED = "fp32/generator_cached.onnx"
DAMAGED: dict[str, tuple[Change, str]] = {
    "empty": (text(b""), "unreadable bundle"),
    "no object": (text(b"[1]"), "unreadable bundle"),
    "cut off": (
        lambda root: os.truncate(root / "bundle.json", 900),
        "unreadable bundle",
    ),
    "deep": (text(b'{"schema":' + b"[" * 100_000), "unreadable bundle"),
    "not text": (text(b'{"schema": 1, "name": "\xff\xfe\x00"}'), "unreadable bundle"),
    "more behind": (appended("bundle.json"), "unreadable bundle"),
    "missing manifest": (lambda root: os.remove(root / "bundle.json"), "No such file"),
    "manifest is a folder": (
        lambda root: [os.remove(root / "bundle.json"), os.mkdir(root / "bundle.json")],
        "bundle.json: cannot be read",
    ),
    "manifest is a pipe": (
        lambda root: [os.remove(root / "bundle.json"), os.mkfifo(root / "bundle.json")],
        "bundle.json: cannot be read",
    ),
    "newer": (lambda root: manifest(root, schema=2, files=[]), "schema 2 is newer than 1"),
    "no schema": (edited(lambda m: m.pop("schema")), "unreadable bundle"),
    "schema is a text": (lambda root: manifest(root, schema="1"), "unreadable bundle"),
    "no size": (edited(lambda m: m.pop("image_size")), "no model that can be run"),
    "three sides": (lambda root: manifest(root, image_size=[64, 64, 3]), "image_size"),
    "no height": (lambda root: manifest(root, image_size=[0, 64]), "image_size"),
    "huge": (lambda root: manifest(root, image_size=[10**30, 64]), "image_size"),
    "huge batches": (
        lambda root: manifest(root, image_size=[8192, 8192], max_batch=1024),
        "more than is run here",
    ),
    "no batch": (lambda root: manifest(root, max_batch=0), "no model that can be run"),
    "batch of 1.5": (lambda root: manifest(root, max_batch=1.5), "max_batch"),
    "unknown input": (
        lambda root: manifest(root, inputs=[{"name": "mask"}, {"name": "depth"}]),
        "the model takes depth",
    ),
    "no mask": (lambda root: manifest(root, inputs=[]), "no model that can be run"),
    "inputs twice": (lambda root: manifest(root, inputs=[{"name": "mask"}] * 2), "inputs"),
    "no graphs": (edited(lambda m: m["precisions"][0].pop("graphs")), "has no graph conditions"),
    "no cached graph": (
        edited(lambda m: m["precisions"][0]["graphs"].pop("generator_cached")),
        "has no graph generator_cached",
    ),
    "precision twice": (edited(lambda m: m["precisions"].append(m["precisions"][0])), "precisions"),
    "graph outside": (
        edited(
            lambda m: m["precisions"][0]["graphs"]["conditions"].update(path="../conditions.onnx")
        ),
        "has no recorded sha256",
    ),
    "file outside": (
        edited(lambda m: m["files"].update({"../x": {"sha256": "0" * 64, "bytes": 1}})),
        "../x is no name for a file",
    ),
    "absolute file": (
        edited(lambda m: m["files"].update({"/x": {"sha256": "0" * 64, "bytes": 1}})),
        "/x is no name for a file",
    ),
    "file without a hash": (
        edited(lambda m: m["files"].update({CACHED: {"bytes": 1}})),
        "changed since export",
    ),
    "long hash": (edited(lambda m: m["files"][CACHED].update(sha256="0" * 65)), "files"),
    "not recorded": (edited(lambda m: m["files"].pop(CACHED)), "has no recorded sha256"),
    "missing graph": (lambda root: os.remove(root / CACHED), "missing from the bundle"),
    "longer graph": (appended(CACHED), "changed since export"),
    "changed graph": (flipped(CACHED), "changed since export"),
    "changed default": (flipped("defaults/appearance.png"), "changed since export"),
    "missing default": (
        lambda root: os.remove(root / "defaults/background.png"),
        "missing from the bundle",
    ),
    "a stranger beside the graphs": (
        lambda root: (root / "fp32/weights.bin").write_bytes(b"x"),
        "fp32/weights.bin has no recorded sha256",
    ),
    "a hidden link beside the graphs": (
        lambda root: os.symlink("/etc/passwd", root / "fp32/.weights"),
        "fp32/.weights has no recorded sha256",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told(sanitized: Built, tiny_bundle: Path, tmp_path: Path, name: str) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    change, words = DAMAGED[name]
    change(bundle)
    said = sanitized.ok("probe", "load", "fp32", bundle)
    assert said.startswith("bundle: ")
    assert words in said
    assert said.count("\n") == 1
    if "hidden" not in name and "without a hash" not in name:
        with pytest.raises(PoseGenError):  # the Python runtime agrees
            Bundle.load(bundle)


def test_whole_bundles_are_taken(
    sanitized: Built, tiny_bundle: Path, viewpoint_bundle: Path, tmp_path: Path
) -> None:
    ready = sanitized.ok("probe", "load", "int8", SHIPPED_BUNDLE)
    ready += sanitized.ok("probe", "load", "fp32", tiny_bundle, viewpoint_bundle, SHIPPED_BUNDLE)
    assert ready == "ok: \n" * 4
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    manifest(bundle, name='"car" \\ \n\t', lineage={"deep": [[{"a": [1e-3, -0, None, True]}]]})
    (bundle / "fp32/.DS_Store").write_bytes(b"x")
    assert sanitized.ok("probe", "load", "fp32", bundle) == "ok: \n"


def test_a_precision_that_is_not_there(sanitized: Built) -> None:
    said = sanitized.ok("probe", "load", "bf16", SHIPPED_BUNDLE)
    assert said.startswith("argument: ")
    assert "holds no bf16 variant, only fp32, fp16, int8" in said


def test_unusable_graphs(native: Built, tiny_bundle: Path, tmp_path: Path) -> None:
    """Rightly recorded, but no ONNX, or of other inputs than bundle.json says."""
    broken = Path(shutil.copytree(tiny_bundle, tmp_path / "broken"))
    (broken / CACHED).write_bytes(b"no graph")
    other = Path(shutil.copytree(tiny_bundle, tmp_path / "other"))
    save_generator(other / CACHED, [])
    for bundle, words in (
        (broken, "generator_cached.onnx: ONNX Runtime cannot load it"),
        (other, "generator_cached.onnx: takes or returns other than bundle.json says"),
    ):
        reseal(bundle)
        arguments = [bundle, "fp32", 1, "shared", 0, "-", "-", "-", "-", "-"]
        done = native.run("driver", *arguments)
        assert done.returncode == 3
        assert words in done.stderr


def test_hashes(sanitized: Built, tmp_path: Path) -> None:
    import hashlib

    files = []
    for size in (0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 121, 128, 100_000):
        files.append(tmp_path / str(size))
        files[-1].write_bytes(bytes(i * i % 251 for i in range(size)))
    said = sanitized.ok("probe", "sha256", *files).split()
    assert said == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thousands_of_damaged_manifests(sanitized: Built, tiny_bundle: Path, seed: int) -> None:
    said = sanitized.ok("probe", "fuzz", tiny_bundle / "bundle.json", seed, 4000)
    refused, _, count, _ = said.split()
    assert int(count) == 4000
    assert int(refused) > 1000
