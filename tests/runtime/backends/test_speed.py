"""What counts as the time of an image: the processor's on a CPU, the clock's on a GPU."""

import time
from pathlib import Path
from typing import Any

import pytest

from posegen_runtime.backends import speed
from posegen_runtime.bundle import Bundle
from posegen_runtime.choices import BackendName

WAIT = 0.05


@pytest.mark.parametrize(
    ("name", "counts"), [(BackendName.CPU, False), (BackendName.TENSORRT, True)]
)
def test_waiting_counts_on_a_gpu_only(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, name: BackendName, counts: bool
) -> None:
    """On a CPU it is another process's time, on a GPU that of the computation."""
    real = speed.open_backend

    def slow(_: BackendName, *arguments: Any, **named: Any) -> Any:
        backend = real(BackendName.CPU, *arguments, **named)
        run = backend.run
        monkeypatch.setattr(backend, "run", lambda *given: time.sleep(WAIT) or run(*given))
        return backend

    monkeypatch.setattr(speed, "open_backend", slow)
    bundle = Bundle.load(tiny_bundle)
    taken = speed.sample_backends([(name, "fp32")], bundle, rounds=3)[name, "fp32"]
    assert len(taken) == 3
    images = bundle.manifest.max_batch if counts else 1
    assert all((seconds * images >= WAIT) is counts for seconds in taken)
