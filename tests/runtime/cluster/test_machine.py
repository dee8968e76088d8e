from pathlib import Path

import msgspec
import pytest

from posegen_runtime.bundle import MANIFEST, sha256_of
from posegen_runtime.choices import BackendName
from posegen_runtime.cluster.lease import Lease
from posegen_runtime.cluster.machine import Question, look, sees


@pytest.fixture
def question(tiny_bundle: Path, masks: Path) -> Question:
    file = masks / "a.png"
    return Question(
        bundle=tiny_bundle,
        bundle_sha256=sha256_of(tiny_bundle / MANIFEST),
        files=[("--masks", file, file.stat().st_size)],
        backend=BackendName.CPU,
        precision="fp32",
    )


def test_a_machine_that_can_work_says_with_what(question: Question) -> None:
    answer = look(question)
    assert not answer.error
    assert answer.choice is not None
    assert answer.choice.backend is BackendName.CPU
    assert "onnxruntime" in answer.engine.lower().replace(" ", "")
    assert answer.pixels == look(question).pixels


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "0.0.1"}, "has posegen .* and this machine 0.0.1; install the same"),
        ({"bundle_sha256": "0" * 64}, "is another one there"),
        ({"bundle": Path("/nowhere")}, "/nowhere"),
        ({"files": [("--masks", Path("/no/a.png"), 3)]}, "--masks /no/a.png: No such file.*share"),
        ({"backend": BackendName.CUDA}, "cuda|CUDA|GPU"),
        ({"precision": "int8"}, "int8"),
    ],
)
def test_what_is_missing_there_is_said_in_one_line(
    question: Question, change: dict[str, object], words: str
) -> None:
    answer = look(msgspec.structs.replace(question, **change))
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(answer.error)
    assert "\n" not in answer.error


def test_other_inputs_under_the_same_name_are_refused(question: Question, masks: Path) -> None:
    (masks / "a.png").write_bytes(b"other")
    assert "has 5 bytes there" in look(question).error


def test_a_folder_that_is_not_shared_is_named(tmp_path: Path) -> None:
    lease = Lease.take(tmp_path)
    assert sees(lease) == ""
    lease.end()
    assert f"--out {tmp_path} is not the folder that it is here" in sees(lease)
