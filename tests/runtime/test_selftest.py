"""The self-test passes on an honest bundle and fails on one whose graph does something else."""

import hashlib
import json
from pathlib import Path

import pytest

from posegen_runtime import PoseGenerator, PoseGenError
from posegen_runtime.selftest import selftest
from tiny_bundle import write_tiny_bundle
from tiny_graphs import save_generator


def replace_file(bundle: Path, name: str, data: bytes) -> None:
    """Change a file and its recorded hash, so that only the images can tell."""
    (bundle / name).write_bytes(data)
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (bundle / "bundle.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("variant", ["pose", "pose-appearance", "pose-appearance-background"])
def test_an_honest_bundle_passes(tmp_path: Path, variant: str) -> None:
    verdicts = selftest(PoseGenerator.load(write_tiny_bundle(tmp_path, variant, golden=6)))
    graphs = ["generator"] if variant == "pose" else ["generator", "generator_cached"]
    assert [verdict.graph for verdict in verdicts] == graphs
    for verdict in verdicts:
        assert verdict.missed == []
        assert verdict.figures.images == 6
        assert verdict.figures.max_difference <= 1
        assert "passed" in str(verdict)


def test_ssim_is_named_where_it_is_part_of_the_gate(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path)
    (verdict,) = {str(v).partition(": ")[2] for v in selftest(PoseGenerator.load(bundle))}
    assert "SSIM" not in verdict
    manifest = json.loads((bundle / "bundle.json").read_text())
    (fp32,) = manifest["precisions"]
    manifest["precisions"].append({**fp32, "precision": "int8"})
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    for verdict in selftest(PoseGenerator.load(bundle, "int8")):
        assert f"dB, SSIM {verdict.figures.ssim:.4f}: passed" in str(verdict)


def test_a_golden_image_of_another_mask_is_a_miss(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path)
    replace_file(bundle, "golden/image/000.png", (bundle / "golden/image/001.png").read_bytes())
    for verdict in selftest(PoseGenerator.load(bundle)):
        assert "max_difference" in verdict.missed[0]
        assert "MISSED" in str(verdict)


def test_a_graph_that_ignores_the_background_is_a_miss(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle")
    save_generator(tmp_path / "blind.onnx", ["appearance"], ["appearance", "background"])
    replace_file(bundle, "fp32/generator.onnx", (tmp_path / "blind.onnx").read_bytes())
    blind, cached = selftest(PoseGenerator.load(bundle))
    assert blind.missed
    assert not cached.missed


def test_a_bundle_without_a_golden_set_cannot_be_tested(tmp_path: Path) -> None:
    with pytest.raises(PoseGenError, match="has no golden set"):
        selftest(PoseGenerator.load(write_tiny_bundle(tmp_path, golden=0)))
