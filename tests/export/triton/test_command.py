"""`posegen-export triton` through the real command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kserve_server import read_config
from posegen_export.cli import app
from posegen_runtime.console import run_app
from posegen_runtime.generator import SHIPPED_BUNDLE
from tiny_bundle import write_tiny_bundle
from typed_graphs import write_typed_bundle

COMMAND = "import sys; from posegen_export.cli import main; sys.exit(main())"


@pytest.fixture
def triton(tmp_path, capsys):
    """Runs the command on a pose-only bundle; returns exit code, output and errors."""
    bundle = write_typed_bundle(tmp_path / "bundle", fp16="fp16", int8="int8")

    def run(*arguments, bundle=bundle):
        given = ["triton", str(bundle), "-o", str(tmp_path / "out"), *arguments]
        code = run_app(app, given)
        return code, *capsys.readouterr()

    return run


def test_it_says_what_is_served_and_how(triton, tmp_path):
    code, printed, errors = triton("--name", "cars")
    assert (code, errors) == (0, "")
    out = tmp_path / "out"
    assert printed.splitlines() == [
        f"{out / 'cars'}: version 1, mask",
        f"serve it: tritonserver --model-repository={out}",
    ]
    _, printed, _ = triton("--name", "cars")
    assert "that version was there already" in printed


def test_shared_conditions_ask_for_a_cache(triton, tmp_path):
    bundle = write_tiny_bundle(tmp_path / "full")
    code, printed, _ = triton(bundle=bundle)
    assert code == 0
    *models, last = printed.splitlines()
    assert [line.split(": version 1, ")[1] for line in models] == [
        "mask, appearance, background",
        "appearance, background",
        "mask, mean, scene",
        "mask, appearance, background",
    ]
    assert last.endswith(" --cache-config=local,size=268435456")


def test_every_option_reaches_the_configuration(triton, tmp_path):
    options = "--precision int8 --device cpu --instances 2 --threads 3 --max-batch 3"
    options += " --preferred-batch 2,1 --queue-delay 250"
    assert triton(*options.split())[0] == 0
    assert (tmp_path / "out/tiny/1/model.onnx").read_bytes() == (
        tmp_path / "bundle/int8/generator.onnx"
    ).read_bytes()
    config = read_config(tmp_path / "out/tiny/config.pbtxt")
    assert (config.max_batch_size, config.instance_group[0].count) == (3, 2)
    assert list(config.dynamic_batching.preferred_batch_size) == [1, 2]
    assert config.dynamic_batching.max_queue_delay_microseconds == 250
    assert config.parameters["intra_op_thread_count"].string_value == "3"
    assert not config.HasField("optimization")


def test_tensorrt_in_the_server_is_started_without_tf32(triton):
    code, printed, _ = triton("--backend", "onnx-tensorrt", "--engine-cache", "/engines")
    assert code == 0
    assert "serve it: NVIDIA_TF32_OVERRIDE=0 tritonserver " in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--precision fp8", "holds no fp8 variant, only fp32, fp16, int8"),
        ("--name ../cars", "--name ../cars: a model's name starts with a letter"),
        ("--max-batch 5", "--max-batch 5: the bundle was proven up to 4 images"),
        ("--queue-delay 99999999999999999999", "less than or equal to 60000000"),
        ("--preferred-batch 2,x", "--preferred-batch 2,x: write it like 8,16"),
        ("--preferred-batch 8", "--preferred-batch 8: must be from 1 to --max-batch, 4"),
        ("--backend tensorrt --device cpu", "--backend tensorrt runs on GPUs only"),
        ("--backend onnx-tensorrt --precision fp16", "lower what is kept in float32"),
        ("--engine-cache /engines", "--engine-cache: only --backend onnx-tensorrt"),
        ("--backend tensorrt --threads 2", "--threads: only ONNX Runtime has any"),
        ("--backend torch", "'torch' is not one of"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(triton, tmp_path, arguments, message):
    code, printed, errors = triton(*arguments.split())
    assert code == 2
    assert printed == ""
    assert message in errors
    assert "Traceback" not in errors
    assert os.listdir(tmp_path) == ["bundle"]


def test_a_folder_that_is_no_bundle_is_one_line(triton, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, errors = triton(bundle=tmp_path / "empty")
    assert code == 2
    (line,) = errors.splitlines()
    assert line.endswith("empty: not a bundle, bundle.json is missing; name the exported folder")


def test_a_name_that_no_model_may_have_asks_for_another(triton, tmp_path):
    bundle = write_tiny_bundle(tmp_path / "full", name="edge cars/ü")
    code, _, errors = triton(bundle=bundle)
    assert code == 2
    assert errors.startswith("error: --name edge cars/ü: a model's name starts with")


def test_it_needs_neither_torch_nor_onnx(tmp_path):
    absent = ("torch", "torchvision", "onnx", "onnxscript", "onnxruntime", "safetensors", "google")
    code = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); {COMMAND[11:]}"
    arguments = ["triton", SHIPPED_BUNDLE, "-o", tmp_path / "out", "--precision", "fp16"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in Path(tmp_path / "out").iterdir()} == {
        "edge-cars", "edge-cars_conditions", "edge-cars_cached", "edge-cars_shared",
    }  # fmt: skip
