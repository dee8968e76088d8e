import json
import shutil

import pytest
import torch

import plant
from posegen_export import graph
from posegen_export.cli import app
from posegen_runtime.bundle import Bundle, sha256_of
from posegen_runtime.console import run_app
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.selftest import selftest

FULL = "pose-appearance-background"


@pytest.fixture
def bundle(exported_bundle, tmp_path):
    return shutil.copytree(exported_bundle("spatial", FULL), tmp_path / "bundle")


def rehash(bundle, name):
    """What a forger would do: the manifest says that the changed file is right."""
    file = bundle / "bundle.json"
    manifest = json.loads(file.read_text())
    path = bundle / name
    manifest["files"][name] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    file.write_text(json.dumps(manifest))


def test_the_command_writes_a_bundle_that_loads(moving_checkpoint, tmp_path, capsys):
    checkpoint = moving_checkpoint("bottleneck", "pose")
    out = tmp_path / "nested" / "car"
    assert (
        run_app(app, ["onnx", str(checkpoint), "-o", str(out), "--golden", "8", "--max-batch", "4"])
        == 0
    )
    loaded = Bundle.load(out)
    manifest = loaded.manifest
    assert (manifest.name, manifest.arch, manifest.variant) == ("car", "bottleneck", "pose")
    assert manifest.max_batch == 4
    assert len(manifest.golden) == 8
    assert manifest.defaults == {}
    assert list(loaded.precision("fp32").graphs) == ["generator"]
    assert manifest.lineage["checkpoint_sha256"] == sha256_of(checkpoint)
    assert set(manifest.mask_range) == {"area", "center_x", "center_y", "aspect"}
    figures = loaded.precision("fp32").parity["figures"]["generator"]
    assert figures["max_difference"] <= 1
    assert "bottleneck/tiny pose" in capsys.readouterr().out
    assert [p.name for p in out.parent.iterdir()] == ["car"]


def test_conditions_are_stored_once_and_shared(bundle):
    manifest = Bundle.load(bundle).manifest
    assert len({golden.appearance for golden in manifest.golden}) == 4
    assert len({golden.image for golden in manifest.golden}) == len(manifest.golden)
    assert manifest.defaults == {
        "appearance": "defaults/appearance.png",
        "background": "defaults/background.png",
    }
    assert manifest.golden[0].appearance == manifest.defaults["appearance"]
    held = {p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file()}
    assert held == {*manifest.files, "bundle.json"}


def test_the_runtime_proves_itself_on_the_golden_set(bundle):
    verdicts = selftest(PoseGenerator.load(bundle))
    assert [v.graph for v in verdicts] == ["generator", "generator_cached"]
    assert all(v.missed == [] for v in verdicts)
    plant.constant_mask(bundle / "fp32/generator_cached.onnx")
    rehash(bundle, "fp32/generator_cached.onnx")
    good, bad = selftest(PoseGenerator.load(bundle))
    assert good.missed == []
    assert len(bad.missed) == 2


def test_check_repeats_the_figures(bundle, moving_checkpoint, capsys):
    checkpoint = str(moving_checkpoint("spatial", FULL))
    assert run_app(app, ["check", str(bundle), "--checkpoint", checkpoint]) == 0
    printed = capsys.readouterr().out
    for way in ("generator", "cached", "cached shared", "golden files"):
        assert way in printed


def test_check_fails_on_a_graph_that_was_changed(bundle, moving_checkpoint, capsys):
    plant.permuted_channels(bundle / "fp32/generator.onnx")
    rehash(bundle, "fp32/generator.onnx")
    checkpoint = str(moving_checkpoint("spatial", FULL))
    assert run_app(app, ["check", str(bundle), "--checkpoint", checkpoint]) == 1
    assert "gate missed: fp32 generator: max_difference" in capsys.readouterr().out


def test_check_fails_on_a_changed_golden_image(bundle, moving_checkpoint, capsys):
    shutil.copy(bundle / "golden/image_01.png", bundle / "golden/image_00.png")
    rehash(bundle, "golden/image_00.png")
    checkpoint = str(moving_checkpoint("spatial", FULL))
    assert run_app(app, ["check", str(bundle), "--checkpoint", checkpoint]) == 1
    assert "gate missed: fp32 golden files: max_difference" in capsys.readouterr().out


def error_of(capsys, arguments):
    assert run_app(app, [str(a) for a in arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_check_of_another_models_checkpoint(bundle, moving_checkpoint, capsys):
    other = moving_checkpoint("bottleneck", "pose")
    message = error_of(capsys, ["check", bundle, "--checkpoint", other])
    assert "the bundle is spatial/tiny/pose-appearance-background at 64 px" in message
    assert "bottleneck/tiny/pose" in message


def test_no_checkpoint(tmp_path, capsys):
    out = tmp_path / "bundle"
    text = tmp_path / "notes.safetensors"
    text.write_text("no weights")
    assert "notes.safetensors" in error_of(capsys, ["onnx", text, "-o", out])
    assert "nowhere" in error_of(capsys, ["onnx", tmp_path / "nowhere", "-o", out])
    assert not out.exists()


def write_fresh_checkpoint(path, variant):
    from posegen.checkpoint import CheckpointInfo, Lineage, save_checkpoint
    from posegen.config import Arch, ModelConfig, TrainConfig, Variant
    from posegen.models import build_discriminator, build_generator

    config = ModelConfig(
        arch=Arch.BOTTLENECK, preset="tiny", variant=Variant(variant), image_size=32
    )
    info = CheckpointInfo(
        train_config=TrainConfig(model=config),
        step=0,
        lineage=Lineage(dataset={}, seed=0, version="0"),
    )
    torch.manual_seed(0)
    save_checkpoint(path, build_generator(config), build_discriminator(config), info)
    return path


@pytest.mark.parametrize("variant", ["unconditional", "autoencoder"])
def test_variants_without_a_mask_stay_in_pytorch(tmp_path, capsys, variant):
    path = write_fresh_checkpoint(tmp_path / "c.safetensors", variant)
    message = error_of(capsys, ["onnx", path, "-o", tmp_path / "bundle"])
    assert f"the {variant} variant takes no mask and stays in PyTorch" in message


def test_weights_that_do_not_move_are_refused_and_leave_no_bundle(tmp_path, capsys):
    path = write_fresh_checkpoint(tmp_path / "c.safetensors", "pose")
    command = ["onnx", path, "-o", tmp_path / "bundle", "--golden", "8", "--max-batch", "4"]
    message = error_of(capsys, command)
    assert "mask_difference" in message
    assert "would prove nothing" in message
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]
    assert run_app(app, [*map(str, command), "--allow-insensitive"]) == 0
    parity = Bundle.load(tmp_path / "bundle").precision("fp32").parity
    assert len(parity["weights_too_still"]) == 2


def test_a_missed_gate_leaves_no_bundle(moving_checkpoint, tmp_path, capsys, monkeypatch):
    """The exporter itself is broken: it forgets to normalise the background."""
    monkeypatch.setattr(
        graph, "to_network", lambda image: image.to(torch.float32).permute(0, 3, 1, 2) / 255
    )
    checkpoint = moving_checkpoint("spatial", FULL)
    command = ["onnx", checkpoint, "-o", tmp_path / "bundle", "--golden", "8", "--max-batch", "4"]
    assert run_app(app, [str(a) for a in command]) == 1
    printed = capsys.readouterr().out
    assert "gate missed: fp32 generator: max_difference" in printed
    assert "must be at most 1" in printed
    assert list(tmp_path.iterdir()) == []


def test_only_a_bundle_is_overwritten(moving_checkpoint, tmp_path, capsys):
    checkpoint = moving_checkpoint("bottleneck", "pose")
    precious = tmp_path / "photos"
    precious.mkdir()
    (precious / "holiday.png").write_bytes(b"x")
    message = error_of(capsys, ["onnx", checkpoint, "-o", precious])
    assert "exists and is not a bundle" in message
    assert (precious / "holiday.png").read_bytes() == b"x"
