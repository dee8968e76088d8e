"""Half precision: what it computes, what it refuses, and whom it blames."""

import json

import numpy as np
import onnx
import pytest
import torch

from posegen.checkpoint import generator_of, load_checkpoint, save_checkpoint
from posegen.models import build_discriminator
from posegen_export.cli import app
from posegen_export.export import load_source, make_inputs
from posegen_export.graphcheck import check_graph
from posegen_export.half import HalfArithmetic, half_images
from posegen_export.half_layers import layer_losses, worst_layers
from posegen_export.overflow import ACTIVATION_LIMIT, overflowing
from posegen_export.parity import measure
from posegen_export.variants import missed_by, parse_precisions
from posegen_export.ways import load_graphs
from posegen_runtime.bundle import Bundle
from posegen_runtime.console import run_app
from posegen_runtime.errors import PoseGenError
from posegen_runtime.generator import PoseGenerator
from posegen_runtime.selftest import selftest

FULL = "pose-appearance-background"
BOTH = "fp32,fp16"


def spoilt(moving_checkpoint, tmp_path, arch, variant, spoil):
    """A copy of a checkpoint whose generator went through `spoil`."""
    loaded = load_checkpoint(moving_checkpoint(arch, variant))
    generator = generator_of(loaded)
    with torch.no_grad():
        spoil(generator)
    path = tmp_path / "spoilt.safetensors"
    save_checkpoint(path, generator, build_discriminator(generator.config), loaded.info)
    return path


def overflow(generator):
    """The first convolution of the finest level is 2^15 larger, and what follows it takes that
    back, in powers of two: float32 images are the same to the bit."""
    enter, film = generator.levels[0].enter, generator.film
    width, all_widths = generator.widths[0], sum(generator.widths)
    scales, shifts = slice(0, width), slice(all_widths, all_widths + width)
    enter.conv.norm.weight *= 2**15
    enter.conv.norm.bias *= 2**15
    for parameter in (film.weight, film.bias):
        parameter[scales] *= 2**-7
        parameter[shifts] *= 2**8
    for parameter in (enter.modulation.weight, enter.modulation.bias):
        parameter[:width] *= 2**-8


def nearly_overflow(generator):
    """The same with 2^12, in a model without global conditions: what float16 still holds."""
    enter, width = generator.levels[0].enter, generator.widths[0]
    enter.conv.norm.weight *= 2**12
    enter.conv.norm.bias *= 2**12
    for parameter in (enter.modulation.weight, enter.modulation.bias):
        parameter[:width] *= 2**-12


def offset(generator):
    """A convolution adds a thousand, and what follows subtracts it: half precision rounds away the
    rest, without any overflow."""
    enter = generator.levels[0].enter
    width = generator.widths[0]
    enter.conv.norm.bias += 1000
    for parameter in (enter.modulation.weight, enter.modulation.bias):
        parameter[width:] -= 1000 * parameter[:width]


def export(capsys, checkpoint, out):
    command = ["onnx", checkpoint, "-o", out, "--golden", "8", "--max-batch", "4"]
    code = run_app(app, [*map(str, command), "--precision", BOTH])
    return code, capsys.readouterr().out.splitlines()


def test_an_overflow_that_onnx_runtime_hides_is_refused(moving_checkpoint, tmp_path, capsys):
    checkpoint = spoilt(moving_checkpoint, tmp_path, "spatial", "pose-appearance", overflow)
    code, printed = export(capsys, checkpoint, tmp_path / "bundle")
    assert code == 1
    assert not (tmp_path / "bundle").exists()
    missed = [line for line in printed if line.startswith("gate missed: fp16 activation: ")]
    assert "levels.0.enter.conv.conv: convolution reaches inf, must be at most 16,000" in missed[0]
    rows = [[cell.strip() for cell in line.split("│")] for line in printed if "│" in line]
    verdicts = {row[2]: row[-2] for row in rows if row[1] == "fp16"}
    hidden = dict.fromkeys(("generator", "cached", "cached shared"), "ok")
    assert verdicts == {"module": "missed", **hidden}


def test_a_sound_model_does_not_overflow(moving_checkpoint):
    source = load_source(moving_checkpoint("spatial", "pose-appearance"))
    feeds = make_inputs(source.config, None, 8, seed=0).feeds(source.config.inputs, range(8))
    _, peaks = half_images(source.generator.half_precision(), feeds)
    assert peaks
    assert overflowing(peaks) == []


def test_a_missed_gate_names_the_layers_to_blame(moving_checkpoint, tmp_path, capsys):
    checkpoint = spoilt(moving_checkpoint, tmp_path, "spatial", "pose", offset)
    code, printed = export(capsys, checkpoint, tmp_path / "bundle")
    assert code == 1
    assert not (tmp_path / "bundle").exists()
    missed = [line for line in printed if line.startswith("gate missed: ")]
    assert {line.split(":")[1] for line in missed} == {" fp16 module", " fp16 generator"}
    assert "psnr" in missed[0]
    assert "must be at least 40" in missed[0]
    blamed = [line for line in printed if line.startswith("to blame: ")]
    assert len(blamed) == 5
    assert "levels.0.enter." in blamed[0]
    assert "of its signal" in blamed[0]


def test_half_arithmetic_is_that_of_pytorchs_own_convolution():
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(16, 8, 3, stride=2, padding=1).half().requires_grad_(False)
    x = 4 * torch.randn(2, 16, 12, 12).half()
    arithmetic = HalfArithmetic(conv)
    with arithmetic.recording():
        ours = conv(x)
    own = conv(x)
    assert ours.dtype == torch.float16
    # One unit in the last place, where the order of a float32 sum decides how it is rounded.
    torch.testing.assert_close(ours, own, rtol=2**-10, atol=2**-10)
    assert arithmetic.peaks == {"generator: convolution": float(ours.abs().max())}


def test_what_is_not_finite_counts_as_infinite():
    layer = torch.nn.Linear(2, 1, bias=False).half().requires_grad_(False)
    layer.weight[:] = torch.tensor([[60_000.0, -60_000.0]])
    arithmetic = HalfArithmetic(layer)
    with arithmetic.recording():
        layer(torch.tensor([[2.0, 0.0]]).half())
        layer(torch.tensor([[torch.inf, torch.inf]]).half())
    assert set(arithmetic.peaks.values()) == {np.inf}
    (line,) = overflowing(arithmetic.peaks)
    assert "reaches inf" in line
    assert overflowing({"a": ACTIVATION_LIMIT}) == []
    assert "reaches 16,001" in overflowing({"a": 1.0, "b: mul": ACTIVATION_LIMIT + 1})[0]


@pytest.mark.parametrize(
    ("arch", "variant"),
    [
        ("spatial", f"{FULL}+viewpoint"),
        ("bottleneck", "pose"),
        pytest.param("spatial", "pose", marks=pytest.mark.slow),
        pytest.param("spatial", "pose-appearance", marks=pytest.mark.slow),
        pytest.param("bottleneck", "pose-appearance", marks=pytest.mark.slow),
        pytest.param("bottleneck", FULL, marks=pytest.mark.slow),
    ],
)
def test_fp16_keeps_its_gate(exported_bundle, moving_checkpoint, arch, variant):
    bundle = Bundle.load(exported_bundle(arch, variant, BOTH))
    assert [p.precision for p in bundle.manifest.precisions] == ["fp32", "fp16"]
    half = bundle.precision("fp16")
    ways = ["generator", "cached", "cached shared"] if bundle.conditions else ["generator"]
    assert list(half.parity["figures"]) == ["module", *ways]
    assert half.parity["gate"] == {"psnr": 40, "psnr_worst": 35}
    largest = half.parity["largest_activations"]
    assert len(largest) == 8
    assert max(largest.values()) <= half.parity["activation_limit"] == ACTIVATION_LIMIT

    source = load_source(moving_checkpoint(arch, variant))
    feeds = make_inputs(source.config, None, 10, seed=1).feeds(source.config.inputs)
    figures = measure(source.generator, load_graphs(bundle.root, half.graphs), feeds, 4)
    assert missed_by(figures, "fp16") == []
    assert all(f.mean_difference > 0 for f in figures.values())  # it is not float32


def test_the_runtime_takes_fp16_and_its_conditions(exported_bundle):
    bundle = exported_bundle("spatial", f"{FULL}+viewpoint", BOTH)
    generator = PoseGenerator.load(bundle, precision="fp16")
    verdicts = selftest(generator)
    assert [v.graph for v in verdicts] == ["generator", "generator_cached"]
    assert all(v.missed == [] for v in verdicts)
    assert all(v.figures.mean_difference > 0 for v in verdicts)
    graphs = Bundle.load(bundle).precision("fp16").graphs
    encoded = graphs["conditions"].outputs
    assert {spec.dtype for spec in encoded} == {"float16"}
    size = sum(2 * int(np.prod(spec.shape[1:])) for spec in encoded)
    assert size <= 2 * 2**20


def test_check_measures_every_precision(exported_bundle, moving_checkpoint, capsys):
    bundle = exported_bundle("bottleneck", "pose", BOTH)
    checkpoint = moving_checkpoint("bottleneck", "pose")
    assert run_app(app, ["check", str(bundle), "--checkpoint", str(checkpoint)]) == 0
    printed = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:3]] for line in printed.splitlines()]
    for row in (["fp32", "generator"], ["fp32", "golden files"], ["fp16", "generator"]):
        assert row in rows
    assert ["fp16", "module"] in rows


def test_check_refuses_activations_near_the_end_of_float16(
    moving_checkpoint, tmp_path, capsys, monkeypatch
):
    """No image shows it yet, in an engine or in PyTorch; a bundle written without the limit has
    it."""
    checkpoint = spoilt(moving_checkpoint, tmp_path, "spatial", "pose", nearly_overflow)
    bundle = tmp_path / "bundle"
    with monkeypatch.context() as patch:
        patch.setattr("posegen_export.overflow.ACTIVATION_LIMIT", np.inf)
        assert export(capsys, checkpoint, bundle)[0] == 0
    assert run_app(app, ["check", str(bundle), "--checkpoint", str(checkpoint)]) == 1
    printed = capsys.readouterr().out.splitlines()
    missed = [line for line in printed if line.startswith("gate missed: ")]
    named = "gate missed: fp16 activation: levels.0.enter.conv.conv: convolution reaches "
    assert missed[0].startswith(named)
    assert all(line.startswith("gate missed: fp16 activation: ") for line in missed)


def test_half_graphs_are_about_half_as_large(exported_bundle):
    root = exported_bundle("spatial", f"{FULL}+viewpoint", BOTH)
    files = json.loads((root / "bundle.json").read_text())["files"]
    share = files["fp16/weights.bin"]["bytes"] / files["fp32/weights.bin"]["bytes"]
    assert 0.45 < share < 0.55


def test_a_graph_of_mixed_types_is_refused(exported_bundle):
    model = onnx.load(exported_bundle("bottleneck", "pose", BOTH) / "fp16/generator.onnx")
    check_graph(model, 20, 10)
    name = next(node for node in model.graph.node if node.op_type == "Conv").input[1]
    (weight,) = (tensor for tensor in model.graph.initializer if tensor.name == name)
    single = onnx.numpy_helper.to_array(weight).astype(np.float32)
    weight.CopyFrom(onnx.numpy_helper.from_array(single, name))
    with pytest.raises(onnx.shape_inference.InferenceError, match="inconsistent type"):
        check_graph(model, 20, 10)


def test_precisions_are_read_in_their_order():
    assert parse_precisions("fp32") == ["fp32"]
    assert parse_precisions("fp16") == ["fp32", "fp16"]
    assert parse_precisions("fp16, fp32") == ["fp32", "fp16"]
    for text in ("int8", "fp8", ""):
        with pytest.raises(PoseGenError, match="posegen-export int8 adds INT8"):
            parse_precisions(text)


def test_losses_are_relative_to_what_a_layer_says(moving_checkpoint):
    source = load_source(moving_checkpoint("spatial", "pose"))
    inputs = make_inputs(source.config, None, 8, seed=0)
    half = source.generator.half_precision()
    losses = layer_losses(source.generator, half, inputs.feeds(source.config.inputs, range(4)))
    assert "levels.0.enter.conv.conv" in losses
    assert all(0 < loss < 0.01 for loss in losses.values())
    lines = worst_layers(losses)
    assert len(lines) == 5
    assert max(losses, key=losses.get) in lines[0]
