"""`posegen-export check`; what it says of FP16 and INT8 stands beside their other tests."""

import json
import shutil

from posegen_export.cli import app
from posegen_runtime.console import run_app


def test_a_bundle_without_a_golden_set_is_one_line(
    exported_bundle, moving_checkpoint, tmp_path, capsys
):
    bundle = tmp_path / "bundle"
    shutil.copytree(exported_bundle("bottleneck", "pose"), bundle)
    manifest = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps(manifest | {"golden": []}))
    checkpoint = moving_checkpoint("bottleneck", "pose")
    assert run_app(app, ["check", str(bundle), "--checkpoint", str(checkpoint)]) == 2
    error = capsys.readouterr().err
    assert error == f"error: {bundle}: has no golden set to test with; export it again\n"
