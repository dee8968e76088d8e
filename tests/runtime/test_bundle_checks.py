"""Bundles from strangers, whose hashes agree: refused before an engine opens anything."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.bundle import Bundle
from posegen_runtime.golden import golden_set
from posegen_runtime.judges import load_judge, shipped_judges
from resealed import reseal
from tiny_bundle import SIZE

GRAPH = "fp32/generator_cached.onnx"


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def refused(bundle: Path, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one line, without an engine."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(PoseGenError, match=message) as caught:
        PoseGenerator.load(bundle)
    assert len(str(caught.value).splitlines()) == 1


def move_weights_out(bundle: Path, location: str, name: str = GRAPH) -> None:
    """The first weights of a graph lie in `location`."""
    model = onnx.load(bundle / name)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    (bundle / name).write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "../../secret.bin",
        "../fp32/../../secret.bin",
        "link.bin",
        "folder/secret.bin",
        ".hidden.bin",
        "missing.bin",
        "",
        ".",
        "*/_ORT_MEM_ADDR_/*",
        "weights.bin\0",
        "C:\\weights.bin",
        "new\nline.bin",
    ],
)
def test_weights_lie_nowhere_but_in_the_bundle(
    bundle: Path, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bundle.parent / "secret.bin").write_bytes(b"\0" * 1024)
    (bundle / "fp32/.hidden.bin").write_bytes(b"\0" * 1024)
    (bundle / "fp32/link.bin").symlink_to(bundle.parent / "secret.bin")
    (bundle / "fp32/folder").symlink_to(bundle.parent, target_is_directory=True)
    move_weights_out(bundle, location)

    def record_all(manifest: dict[str, Any]) -> None:
        manifest["files"].pop("fp32/.hidden.bin")

    reseal(bundle, record_all)
    message = r"cached\.onnx: has its weights in .*, which is no file of the bundle"
    refused(bundle, message, monkeypatch)


def test_weights_beside_the_graph_are_loaded(bundle: Path) -> None:
    (bundle / "fp32/weights.bin").write_bytes(bytes(16))
    move_weights_out(bundle, "weights.bin")
    Bundle.load(reseal(bundle))


def test_a_judge_loads_no_other_file(tmp_path: Path) -> None:
    judge = Path(shutil.copytree(shipped_judges() / "outline", tmp_path / "judge"))
    (judge / "weights.bin").write_bytes(bytes(1024))
    move_weights_out(judge, "weights.bin", "model.onnx")
    record = json.loads((judge / "judge.json").read_text())
    record["sha256"] = hashlib.sha256((judge / "model.onnx").read_bytes()).hexdigest()
    (judge / "judge.json").write_text(json.dumps(record))
    with pytest.raises(PoseGenError, match=r"model\.onnx: has its weights in weights\.bin"):
        load_judge(judge)


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "a/../../b", "~", ".hidden", "a//b", "a\\b", "C:x", "a\nb", "*", ""],
)
def test_names_of_files(bundle: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reseal(bundle, lambda m: m["files"].update({name: {"sha256": "0" * 64, "bytes": 1}}))
    refused(bundle, "points outside the bundle|is no name for a file in a bundle", monkeypatch)


def spec(manifest: dict[str, Any], graph: str, side: str, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = manifest["precisions"][0]["graphs"][graph][side][index]
    return found


def graphs(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["precisions"][0]["graphs"]
    return found


CHANGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda m: m.update(image_size=[100_000, 100_000]), "unreadable bundle"),
    (lambda m: m.update(image_size=[8192, 8192], max_batch=1024), "batches of 1024 images of 8192"),
    (lambda m: m.update(image_size=[2**63, 64]), "unreadable bundle"),
    (lambda m: m.update(image_size=[SIZE, SIZE, 3]), "unreadable bundle"),
    (lambda m: m.update(image_size=["64", 64]), "unreadable bundle"),
    (lambda m: m.update(image_size=[128, 128]), "inputs: mask uint8"),
    (lambda m: m.update(max_batch=10**9), "unreadable bundle"),
    (lambda m: m.update(max_batch=1.5), "unreadable bundle"),
    (lambda m: m.update(golden=m["golden"] * 500), "unreadable bundle"),
    (lambda m: m["golden"][0].update(viewpoint=[1e300, 0, 0]), "a viewpoint"),
    (lambda m: m["golden"][0].update(mask="../secret.png"), "has no recorded sha256"),
    (lambda m: m["defaults"].update(appearance="/etc/passwd"), "has no recorded sha256"),
    (lambda m: m.update(inputs=[]), "inputs none"),
    (lambda m: m["inputs"].append(m["inputs"][0]), "inputs mask, appearance, background, mask"),
    (lambda m: m["inputs"].pop(0), "inputs appearance, background"),
    (lambda m: m["inputs"][0].update(dtype="float64"), "mask float64"),
    (lambda m: m["inputs"][0].update(shape=["N", "H", "W"]), "mask uint8"),
    (lambda m: m["inputs"][0].update(shape=[]), "mask uint8"),
    (lambda m: m.update(precisions=[]), "precisions none"),
    (lambda m: m.update(precisions=m["precisions"] * 2), "precisions fp32, fp32"),
    (lambda m: m["precisions"][0].update(precision="../x"), r"holds a \.\./x variant"),
    (lambda m: graphs(m)["conditions"].update(path="fp32/generator.onnx"), "appearance"),
    (lambda m: graphs(m)["conditions"].update(path="golden/mask/000.png"), "is no .onnx file"),
    (lambda m: graphs(m).update(more={"path": "../x.onnx", "inputs": [], "outputs": []}), "no r"),
    (lambda m: spec(m, "generator", "inputs").update(name="other"), "takes other uint8"),
    (lambda m: graphs(m)["generator"]["inputs"].pop(), "is given background uint8"),
    (lambda m: spec(m, "generator", "outputs").update(name="picture"), "not return one image"),
    (lambda m: spec(m, "generator", "outputs").update(shape=["N", 1, 1, 3]), "generator: image"),
    (lambda m: spec(m, "conditions", "outputs").update(dtype="float16"), "cached.onnx takes"),
    (
        lambda m: [
            spec(m, "conditions", "outputs").update(shape=["C", 7, 1, 3]),
            spec(m, "generator_cached", "inputs", 1).update(shape=["C", 7, 1, 3]),
        ],
        "mean is not float32",
    ),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_manifests_that_cannot_be(
    bundle: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, message = CHANGES[number]
    refused(reseal(bundle, change), message, monkeypatch)


def test_a_manifest_of_a_gigabyte_is_not_read(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.truncate(bundle / "bundle.json", 2**30)
    refused(bundle, r"bundle\.json: 1,074 MB are more than the 67 MB read here", monkeypatch)


def test_a_manifest_nested_without_end(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bundle / "bundle.json").write_text('{"schema": 1, "lineage": ' + "[" * 10**6)
    refused(bundle, "unreadable bundle", monkeypatch)


@pytest.mark.parametrize("becomes", ["pipe", "folder", "/dev/zero", "itself"])
def test_what_is_no_file(bundle: Path, becomes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fp32/generator.onnx", "bundle.json"):
        file = bundle / name
        file.unlink()
        if becomes == "pipe":
            os.mkfifo(file)
        elif becomes == "folder":
            file.mkdir()
        else:
            file.symlink_to(file if becomes == "itself" else becomes)
        refused(bundle, "missing", monkeypatch)


def test_folders_without_end_are_not_walked(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a link that leads out, nor folders deeper than Python calls itself."""
    (bundle / "out").symlink_to("/", target_is_directory=True)
    Bundle.load(bundle)
    monkeypatch.chdir(bundle)
    deep = "d/" * 600
    os.makedirs(deep)
    os.makedirs(deep + deep)
    try:
        Bundle.load(bundle)
        Path(deep + deep, "weights.bin").touch()
        refused(bundle, "d/d/weights.bin has no recorded sha256", monkeypatch)
    finally:
        subprocess.run(["rm", "-r", "d"], check=True)  # shutil calls itself too often, too


@pytest.mark.parametrize("kind", ["mask", "image", "appearance"])
def test_golden_images_of_another_size(bundle: Path, kind: str) -> None:
    cv2.imwrite(str(bundle / f"golden/{kind}/001.png"), np.full((SIZE, 9), 255, np.uint8))
    loaded = Bundle.load(reseal(bundle))
    with pytest.raises(PoseGenError, match=rf"{kind}/001\.png: is 9×64 pixels, the model's"):
        golden_set(loaded, "fp32")


def test_a_golden_input_without_its_photo(bundle: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["golden"][1].pop("appearance")
        manifest["defaults"] = {}

    with pytest.raises(PoseGenError, match="a golden input has no appearance"):
        golden_set(Bundle.load(reseal(bundle, change)), "fp32")


def test_a_graph_that_makes_images_of_another_size_than_it_says(bundle: Path) -> None:
    model = onnx.load(bundle / GRAPH)
    last = model.graph.node[-1]
    size = onnx.numpy_helper.from_array(np.array([-1, SIZE // 2, SIZE * 2, 3]), "shape")
    model.graph.initializer.append(size)
    model.graph.node.append(onnx.helper.make_node("Reshape", ["plain", "shape"], ["image"]))
    last.output[0] = "plain"
    (bundle / GRAPH).write_bytes(model.SerializeToString())
    generator = PoseGenerator.load(reseal(bundle))
    message = r"generator_cached makes uint8 \(1, 32, 128, 3\) instead"
    with pytest.raises(PoseGenError, match=message):
        generator.generate(np.full((SIZE, SIZE), 255, np.uint8))
