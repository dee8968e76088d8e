"""The runtime starts quickly and loads nothing that belongs to training or export."""

import statistics
import subprocess
import sys

MEASURE = """
import sys, time
import numpy, cv2
start = time.process_time()
import posegen_runtime
import posegen_runtime.images, posegen_runtime.masks, posegen_runtime.geometry
import posegen_runtime.poses
print(time.process_time() - start)
heavy = {"torch", "torchvision", "onnx", "onnxscript", "onnxruntime", "PIL", "pyvista", "scipy"}
print(",".join(sorted(heavy & sys.modules.keys())))
"""


def run() -> tuple[float, str]:
    output = subprocess.run(
        [sys.executable, "-c", MEASURE], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    return float(output[0]), output[1]


def test_import_is_quick_and_light() -> None:
    """Processor time, so that a busy machine does not fail it."""
    runs = [run() for _ in range(3)]
    assert statistics.median(seconds for seconds, _ in runs) < 0.3
    assert {loaded for _, loaded in runs} == {""}


def test_the_command_itself_loads_no_array_library() -> None:
    """So that --help is quick, and Ctrl-C in the first second meets no import."""
    code = (
        "import sys, posegen_runtime.cli; print({'numpy', 'cv2', 'rich.progress'} & {*sys.modules})"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert output.stdout.strip() == "set()"


def test_a_run_loads_what_it_shows_and_builds_with_only_when_it_does() -> None:
    """Every run asks for a GPU; none needs bars but on a terminal, or engines but on a GPU."""
    code = (
        "import sys, posegen_runtime.run as run; "
        "from posegen_runtime.engines.gpu import find_gpu; find_gpu(); "
        "run.say('[a] :smile:'); "
        "print({'rich', 'posegen_runtime.engines.ensure', 'onnxruntime'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
    assert done.stderr == "[a] :smile:\n"
