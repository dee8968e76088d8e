"""INT8 through the real command, on both architectures: nothing but the bundle is needed."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from int8_folders import arguments, cache_of, report_of
from posegen_export.cli import app
from posegen_export.int8_pose import PoseIou
from posegen_export.int8_result import Int8Result
from posegen_runtime.bundle import Bundle, sha256_of
from posegen_runtime.console import run_app
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.images import read_rgb, write_png
from posegen_runtime.selftest import selftest

SPATIAL = ("spatial", "pose-appearance-background+viewpoint")
PAPER = ("bottleneck", "pose")
BOTH = "fp32,fp16"


def contents(bundle: Path) -> dict[str, str]:
    return {str(f.relative_to(bundle)): sha256_of(f) for f in bundle.rglob("*") if f.is_file()}


@pytest.mark.parametrize(
    ("arch", "variant", "others"), [(*SPATIAL, ["fp32", "fp16"]), (*PAPER, ["fp32"])]
)
def test_the_bundle_gains_a_variant_that_keeps_the_gate(
    int8_bundle, exported_bundle, arch, variant, others
):
    before = Bundle.load(exported_bundle(arch, variant, ",".join(others)))
    bundle = Bundle.load(int8_bundle(arch, variant))
    assert [p.precision for p in bundle.manifest.precisions] == [*others, "int8"]
    unchanged = {name for name in bundle.manifest.files if not name.startswith("int8/")}
    assert unchanged == set(before.manifest.files)
    verdicts = selftest(PoseGenerator.load(bundle.root, "int8", threads=1, backend="cpu"))
    assert not [verdict.missed for verdict in verdicts if verdict.missed]
    parity = bundle.precision("int8").parity
    assert parity["gate"] == {"psnr": 30.0, "ssim": 0.95}
    assert parity["rest"] == others[-1]
    assert all(f["psnr"] >= 30 and f["ssim"] >= 0.95 for f in parity["figures"].values())
    assert parity["calibration"]["samples"] == 48
    assert parity["layers"] > len(parity["kept"])
    report = json.loads((report_of(bundle.root) / "sensitivity.json").read_text())
    work = sum(e["share_of_work"] for e in report["effects"] if not e["kept"])
    assert 0 < parity["work_in_int8"] < 1
    assert parity["work_in_int8"] == pytest.approx(work)
    assert all("alone in INT8" in why for why in parity["kept"].values())
    largest = parity.get("largest_activations", {})
    assert bool(largest) == (parity["rest"] == "fp16")
    assert all(0 < peak <= parity["activation_limit"] for peak in largest.values())
    speed = parity["speed"]
    assert speed["faster"] == (speed["backends"]["cpu"]["times_as_fast"] >= 1.05)


def test_every_way_to_an_image_is_measured_on_golden_and_held_out_masks(int8_bundle):
    figures = Bundle.load(int8_bundle(*SPATIAL)).precision("int8").parity["figures"]
    ways = ("generator", "cached", "cached shared")
    assert list(figures) == [f"{where}, {way}" for where in ("golden", "held out") for way in ways]
    images = {where.split(",")[0]: f["images"] for where, f in figures.items()}
    assert images == {"golden": 11, "held out": 64 // 8}


def test_conditions_are_never_int8_and_both_graphs_share_int8_weights(int8_bundle):
    bundle = Bundle.load(int8_bundle(*SPATIAL))
    graphs = bundle.precision("int8").graphs
    assert graphs["conditions"] == bundle.precision("fp16").graphs["conditions"]
    int8 = {}
    for name in ("generator", "generator_cached"):
        model = onnx.load(bundle.path(graphs[name].path))
        assert (model.ir_version, model.opset_import[0].version) == (10, 20)
        arrays = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        int8[name] = {n: a for n, a in arrays.items() if n.endswith("_int8")}
        scales = {a.dtype for n, a in arrays.items() if n.endswith("_scale")}
        assert scales == {np.dtype(np.float16)}
        encoders = [n for n in int8[name] if "encoder" in n or "background_pyramid" in n]
        assert not encoders
        assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert int8["generator"].keys() == int8["generator_cached"].keys()
    assert all(
        np.array_equal(array, int8["generator_cached"][name])
        for name, array in int8["generator"].items()
    )
    (held,) = {
        next(e.value for e in onnx.load(bundle.path(g.path)).metadata_props if "weights" in e.key)
        for name, g in graphs.items()
        if name != "conditions"
    }
    assert held == sha256_of(bundle.path("int8/weights.bin"))


def test_check_measures_int8_on_what_it_holds_for(int8_bundle, moving_checkpoint, capsys):
    """Golden inputs without noise, whatever made-up ones the other precisions get."""
    bundle, checkpoint = int8_bundle(*PAPER), moving_checkpoint(*PAPER)
    command = ["check", str(bundle), "--checkpoint", str(checkpoint), "--seed", "7"]
    capsys.readouterr()
    assert run_app(app, command) == 0
    printed = capsys.readouterr().out
    (row,) = (line.split("│") for line in printed.splitlines() if "int8" in line)
    stored = Bundle.load(bundle).precision("int8").parity["figures"]["golden, generator"]
    assert [cell.strip() for cell in row[2:4]] == ["generator", str(stored["images"])]
    assert float(row[6]) == pytest.approx(stored["psnr"], abs=0.1)


def test_the_report_says_what_each_layer_loses(int8_bundle):
    bundle = int8_bundle(*SPATIAL)
    kept = Bundle.load(bundle).precision("int8").parity["kept"]
    report = json.loads((report_of(bundle) / "sensitivity.json").read_text())
    assert {e["layer"] for e in report["effects"] if e["kept"]} == set(kept)
    assert (report_of(bundle) / "sensitivity.png").stat().st_size > 5000


def test_a_cache_is_used_again_and_a_stale_one_refused(
    int8_bundle, calibration_folders, tmp_path, capsys
):
    bundle = tmp_path / "moved"
    shutil.copytree(int8_bundle(*PAPER), bundle)
    cache = tmp_path / "cache.json"
    shutil.copyfile(cache_of(int8_bundle(*PAPER)), cache)
    given = arguments(bundle, calibration_folders, conditioned=False)
    assert run_app(app, [*given, "--cache", str(cache)]) == 0
    assert f"ranges: from {cache}" in " ".join(capsys.readouterr().err.split())
    before = contents(bundle)
    assert before == contents(int8_bundle(*PAPER)) | {"bundle.json": before["bundle.json"]}
    assert run_app(app, [*given, "--cache", str(cache), "--seed", "1"]) == 2
    error = capsys.readouterr().err
    assert "measured on something else: seed (0 there, 1 here)" in error
    assert "Traceback" not in error
    assert contents(bundle) == before


def test_a_cache_of_another_model_is_refused(
    int8_bundle, exported_bundle, calibration_folders, tmp_path, capsys
):
    bundle = tmp_path / "other"
    shutil.copytree(exported_bundle(*SPATIAL, BOTH), bundle)
    given = arguments(bundle, calibration_folders)
    assert run_app(app, [*given, "--cache", str(cache_of(int8_bundle(*PAPER)))]) == 2
    assert "model fp32/generator.onnx (" in capsys.readouterr().err


def test_a_missed_gate_changes_nothing_and_names_figures_and_layers(
    exported_bundle, calibration_folders, tmp_path, capsys
):
    """The golden images are turned around: no graph can make them."""
    bundle = tmp_path / "turned"
    shutil.copytree(exported_bundle(*PAPER), bundle)
    manifest = json.loads((bundle / "bundle.json").read_text())
    for golden in manifest["golden"]:
        file = bundle / golden["image"]
        write_png(file, 255 - read_rgb(file))
        record = manifest["files"][golden["image"]]
        record["sha256"], record["bytes"] = sha256_of(file), file.stat().st_size
    (bundle / "bundle.json").write_bytes(msgspec.json.encode(manifest))
    before = contents(bundle)
    assert run_app(app, arguments(bundle, calibration_folders, conditioned=False)) == 1
    printed = capsys.readouterr().out
    assert "Against PyTorch (golden) and the bundle's FP32 graphs (held out), in" in printed
    assert "gate missed: int8 golden, generator: psnr " in printed
    assert "to blame: " in printed
    assert contents(bundle) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["turned"]


@pytest.mark.parametrize(
    ("missed", "words"),
    [
        (
            ["held out, generator: psnr 28.0", "held out, cached: psnr 27.0"],
            "more masks and photos",
        ),
        (["golden, cached: psnr 28.0", "held out, generator: psnr 28.0"], ""),
        ([], ""),
    ],
)
def test_too_little_seen_is_told_from_layers_that_lose_too_much(missed, words):
    pose = PoseIou(images=0, fp32=0.0, int8=0.0, shuffled=0.0, judged=False)
    result = Int8Result({}, [], pose, {}, missed, {})
    assert words in result.advice
    assert bool(result.advice) == bool(words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--masks", "nowhere"], "--masks nowhere: no such folder"),
        (["--method", "guess"], "--method guess: give minmax, entropy, percentile"),
        (["--samples", "512"], "lower --samples"),
        (["--rest", "fp16"], "does not hold fp16; export it with posegen-export onnx"),
        (["--rest", "bf16"], "'bf16' is not one of 'auto', 'fp32', 'fp16'"),
        (["--background", "nowhere"], "takes none; leave it out"),
    ],
)
def test_bad_usage_is_one_line(exported_bundle, calibration_folders, capsys, change, words):
    given = arguments(exported_bundle(*PAPER), calibration_folders, conditioned=False)
    assert run_app(app, [*given, *change]) == 2
    errors = capsys.readouterr().err
    assert words in errors
    assert len([x for x in errors.splitlines() if x.lower().startswith("error: ")]) == 1
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("option", "path", "words"),
    [
        ("--cache", "folder", "is a folder or no regular file; name a file"),
        ("--cache", "file/ranges.json", "cannot be written"),
        ("--cache", "file/missing/ranges.json", "cannot be written"),
        ("--report", "file", "cannot be written"),
        ("--report", "file/report", "cannot be written"),
    ],
)
def test_outputs_are_looked_at_before_any_work(
    exported_bundle, calibration_folders, tmp_path, capsys, option, path, words
):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    given = arguments(exported_bundle(*PAPER), calibration_folders, conditioned=False)
    assert run_app(app, [*given, option, str(tmp_path / path)]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {option} {tmp_path / path}: ")
    assert words in error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_a_bundle_that_cannot_be_replaced_is_refused_before_any_work(
    exported_bundle, calibration_folders, tmp_path, capsys, monkeypatch
):
    """Its folder is on a read-only disk: root may write everywhere else."""
    bundle = tmp_path / "bundle"
    shutil.copytree(exported_bundle(*PAPER), bundle)

    def refused(dir):
        assert dir == tmp_path.resolve()
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    assert run_app(app, arguments(bundle, calibration_folders, conditioned=False)) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {bundle}: the new bundle is made beside it: cannot be written")
    assert "Read-only file system; copy the bundle elsewhere" in error


def test_ctrl_c_changes_nothing(exported_bundle, calibration_folders, tmp_path):
    """While ranges are measured."""
    bundle = tmp_path / "bundle"
    shutil.copytree(exported_bundle(*PAPER), bundle)
    before = contents(bundle)
    given = arguments(bundle, calibration_folders, conditioned=False)
    code = f"import sys\n{COMMAND}"
    with subprocess.Popen(
        [sys.executable, "-c", code, *given], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("ranges: "):
                process.send_signal(signal.SIGINT)
        assert process.wait() == 130, said
    assert said[-1] == "interrupted\n"
    assert not any(line.startswith("layers: ") for line in said)
    assert contents(bundle) == before
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_conditioned_bundle_needs_conditions(exported_bundle, calibration_folders, capsys):
    given = arguments(exported_bundle(*SPATIAL, BOTH), calibration_folders, conditioned=False)
    assert run_app(app, given) == 2
    assert "--appearance: the model takes one" in capsys.readouterr().err


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name}}", name=name)
sys.meta_path.insert(0, Missing())
"""
"""Python in which these packages are not installed."""

TRAINING = ("torch", "torchvision", "safetensors", "lightning_fabric", "onnxscript")


def run_without(missing: tuple[str, ...], code: str, *given: str) -> subprocess.CompletedProcess:
    script = WITHOUT.format(missing=missing) + code
    return subprocess.run([sys.executable, "-c", script, *given], capture_output=True, text=True)


def test_nothing_of_training_is_imported():
    """Every module of ours that the command may need, and ONNX Runtime's tools."""
    code = (
        "import posegen_export.cli, posegen_export.int8, posegen_export.table\n"
        "import posegen_export.int8_data, posegen_export.int8_outputs\n"
        "import posegen_calibration.source, onnxruntime.quantization.calibrate\n"
    )
    done = run_without(TRAINING, code)
    assert done.returncode == 0, done.stderr


COMMAND = (
    "from posegen_export.cli import app\n"
    "from posegen_runtime.console import run_app\n"
    "sys.exit(run_app(app, sys.argv[1:]))"
)


def test_without_onnx_the_extra_is_named(tmp_path):
    done = run_without(("onnx",), COMMAND, "int8", str(tmp_path), "--masks", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == (
        "error: this command needs onnx, which is not installed: pip install 'posegen[int8]'\n"
    )


@pytest.mark.slow
def test_it_needs_no_torch(int8_bundle, calibration_folders, tmp_path):
    """The whole command, where nothing of training is installed."""
    bundle = tmp_path / "bundle"
    shutil.copytree(int8_bundle(*PAPER), bundle)
    given = arguments(bundle, calibration_folders, False)
    done = run_without(TRAINING, COMMAND, *given, "--cache", str(cache_of(int8_bundle(*PAPER))))
    assert done.returncode == 0, done.stderr
