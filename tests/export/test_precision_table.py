"""The table of precisions: a row for each that a bundle holds, measured and compared."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "precision_table.py"
SPATIAL = ("spatial", "pose-appearance-background+viewpoint")


def test_every_precision_beside_fp32_on_onnx_runtime(int8_bundle):
    command = [sys.executable, SCRIPT, int8_bundle(*SPATIAL), "--rounds", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["precision"] for row in rows] == ["fp32", "fp16", "int8"]
    assert rows[0]["cpu_ratio"] == 1.0
    assert all(row["openvino_ratio"] > 0 and row["cpu_images_a_second"] > 0 for row in rows)
    assert rows[0]["mb"] > rows[1]["mb"] > rows[2]["mb"] > 0
    assert all(row["engine_mb"] > 0 for row in rows)
    assert [row["gate"] for row in rows] == ["ok"] * 3
    assert rows[0]["max_difference"] <= 1 < rows[2]["max_difference"]
    assert rows[0]["psnr"] > rows[1]["psnr"] > rows[2]["psnr"] >= 30
    assert rows[2]["ssim"] >= 0.95
    assert 0 < rows[2]["work_in_int8"] <= 1
