"""Repositories of TensorRT engines. TensorRT itself builds only beside a GPU; TensorRT-RTX builds
everywhere and takes its place."""

import json

import pytest

from kserve_server import read_config
from posegen_export.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.engines import Flavor, ensure, find_flavor
from tiny_bundle import write_tiny_bundle
from typed_graphs import write_typed_bundle


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache/engines"


@pytest.fixture
def asked(monkeypatch):
    """The flavors that were asked for; TensorRT-RTX comes instead."""
    flavors = []

    def find(flavor):
        flavors.append(flavor)
        return find_flavor("rtx")

    monkeypatch.setattr(ensure, "find_flavor", find)
    return flavors


def export(bundle, out, *more):
    given = ["triton", bundle, "-o", out, "--backend", "tensorrt", *more]
    return run_app(app, [str(each) for each in given])


def test_each_model_gets_an_engine_for_its_batches(tmp_path, cache, asked):
    bundle = write_tiny_bundle(tmp_path / "bundle")
    assert export(bundle, tmp_path / "out", "--max-batch", "3") == 0
    assert set(asked) == {Flavor.TENSORRT}
    built = {}
    for file in cache.glob("*.json"):
        sidecar = json.loads(file.read_text())
        identity = sidecar["identity"]
        built[identity["graph"]] = (
            list(identity["profile"].values()),
            identity["shared"],
            sidecar["sha256"],
            file.with_suffix(".engine").read_bytes(),
        )
    served = {"tiny": "generator", "tiny_conditions": "conditions"}
    served["tiny_cached"] = "generator_cached"
    for name, graph in served.items():
        batches, shared, sha256, engine = built.pop(graph)
        assert batches == ([1, 1, 1] if graph == "conditions" else [1, 3, 3])
        assert shared == (graph == "generator_cached")
        assert (tmp_path / "out" / name / "1/model.plan").read_bytes() == engine
        record = json.loads((tmp_path / "out" / name / "1/posegen.json").read_text())
        assert record["files"] == {"model.plan": sha256}
        assert record["backend"] == "tensorrt"
        assert record["engine"]["tensorrt"][0].isdigit()
        config = read_config(tmp_path / "out" / name / "config.pbtxt")
        assert (config.backend, config.default_model_filename) == ("tensorrt", "model.plan")
    assert not built


def test_engines_of_the_cache_are_no_new_version(tmp_path, asked, capsys):
    bundle = write_typed_bundle(tmp_path / "bundle", fp16="fp16")
    for _ in range(2):
        assert export(bundle, tmp_path / "out", "--precision", "fp16") == 0
    printed, said = capsys.readouterr()
    assert said.count("building ") == 1
    assert "that version was there already" in printed
    assert [path.name for path in (tmp_path / "out/tiny").glob("[0-9]*")] == ["1"]


def test_onnx_and_plans_do_not_share_a_name(tmp_path, asked, capsys):
    bundle = write_typed_bundle(tmp_path / "bundle")
    assert run_app(app, ["triton", str(bundle), "-o", str(tmp_path / "out")]) == 0
    assert export(bundle, tmp_path / "out") == 2
    assert "serves fp32 by onnx of mask uint8 [N, 64, 64]" in capsys.readouterr().err


def test_without_tensorrt_nothing_is_written(tmp_path, capsys, monkeypatch):
    """As here, and as beside TensorRT-RTX, whose engines the server cannot load."""
    monkeypatch.setitem(__import__("sys").modules, "tensorrt", None)
    bundle = write_typed_bundle(tmp_path / "bundle")
    assert export(bundle, tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'posegen[tensorrt]'" in line
    assert not (tmp_path / "out").exists()
