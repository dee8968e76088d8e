"""Every TensorRT name that the runtime uses exists in the oldest and newest of each flavour.

This shows that the names are right, on real bindings over empty libraries; only a GPU shows more.
"""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import tensorrt_names
from posegen_runtime.engines.flavors import SOME_VERSIONS
from tensorrt_stubs import bindings

if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    pytest.skip("the bindings are those of x86-64 Linux", allow_module_level=True)

VERSIONS = {
    "10.3": "tensorrt-cu12-bindings==10.3.0",
    "11": "tensorrt-cu13-bindings==11.4.0.106",
    "rtx 1.4": "tensorrt-rtx-cu13-bindings==1.4.0.76",
}
FINDABLE = {
    "BuilderFlag.TF32",
    "Builder.build_serialized_network",
    "IBuilderConfig.progress_monitor",
    "ILogger.log",
    "INetworkDefinition.get_input",
    "IProgressMonitor.step_complete",
    "ITensor.dtype",
    "OnnxParser.parse_from_file",
    "Runtime.deserialize_cuda_engine",
}
"""A few of each kind, so that a check that has gone blind fails."""


def look_up(package: Path) -> dict[str, set[str]]:
    command = [sys.executable, tensorrt_names.__file__, str(package)]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return {kind: set(names) for kind, names in json.loads(answer.stdout).items()}


@pytest.mark.slow
def test_every_name_exists(request: pytest.FixtureRequest) -> None:
    folder = request.config.cache.mkdir("tensorrt")
    lacking = {}
    for version, requirement in VERSIONS.items():
        found = look_up(bindings(folder, requirement))
        assert found["used"] >= FINDABLE
        assert found["missing"] <= SOME_VERSIONS, version
        lacking[version] = found["missing"]
    assert "BuilderFlag.DISTRIBUTIVE_INDEPENDENCE" in lacking["10.3"] - lacking["11"]
    assert "ComputeCapability" in lacking["11"] - lacking["rtx 1.4"]
    assert set.union(*lacking.values()) == SOME_VERSIONS - {
        "NetworkDefinitionCreationFlag.STRONGLY_TYPED"  # documented to leave in a later version
    }
