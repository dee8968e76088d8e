"""Whatever an import does, an answer comes, and in time."""

import time
from typing import Any

from posegen_runtime.doctor.ask import ask


def test_a_probe_that_hangs_is_ended(environment: Any) -> None:
    environment(fakes={"openvino": "import time; time.sleep(60)"})
    began = time.monotonic()
    answer = ask({"it": ("openvino",)}, patience=0.5)["it"]
    assert time.monotonic() - began < 5
    assert "did not answer" in answer.error


def test_what_was_told_before_a_crash_counts(environment: Any) -> None:
    source = "import os\n__version__ = '1.2-x'\nclass Core:\n  def __init__(s): os.abort()\n"
    environment(fakes={"openvino": source})
    answer = ask({"it": ("openvino",)})["it"]
    assert answer.found == {"version": "1.2"}
    assert "SIGABRT" in answer.error


def test_what_an_import_prints_disturbs_no_answer(environment: Any) -> None:
    source = (
        'print(\'{"found": {"version": "9"}}\')\n__version__ = \'1\'\n'
        "class Core:\n  available_devices = ['CPU']\n"
    )
    environment(fakes={"openvino": source})
    answer = ask({"it": ("openvino",)})["it"]
    assert answer.found == {"version": "1", "devices": ["CPU"]}
    assert not answer.error


def test_missing_is_told_from_broken(environment: Any) -> None:
    environment(without=["openvino*"], fakes={"onnxruntime": "import no_such_module"})
    answers = ask({"openvino": ("openvino",), "onnxruntime": ("onnxruntime",)})
    assert answers["openvino"].missing
    assert not answers["onnxruntime"].missing
    assert "no_such_module" in answers["onnxruntime"].error
