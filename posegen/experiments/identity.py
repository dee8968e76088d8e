"""What must stay the same while rows are trained, beside their training options."""

from pathlib import Path

import msgspec

from posegen.data.dataset import Dataset
from posegen.experiments.choosing import Chooser
from posegen.experiments.judging import Eyes
from posegen_runtime.errors import PoseGenError
from posegen_runtime.paths import write_atomic

FILE = "experiment.json"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """`choice`: what the best checkpoints are chosen by, on `validation` samples that `segmenter`
    looks at; `dataset` is its hash."""

    dataset: str
    choice: str
    validation: int
    segmenter: str


_DIFFERS = {
    "dataset": "another data set",
    "choice": "other weights or another segmenter to choose the best checkpoint by",
    "validation": "another --validation",
    "segmenter": "another segmenter",
}


def claim_experiment(
    out: Path, dataset: Dataset, chooser: Chooser, eyes: Eyes, trains: bool
) -> str:
    """Record what this experiment is; returns what its best checkpoints are chosen by.

    Where nothing is left to be trained (`trains` False), other weights and another segmenter may
    measure what there is. Raises `PoseGenError` when `out` holds another experiment, or cannot be
    written.
    """
    now = Identity(
        dataset=dataset.description.sha256,
        choice=chooser.name,
        validation=len(chooser.samples),
        segmenter=eyes.identity,
    )
    file = out / FILE
    try:
        out.mkdir(parents=True, exist_ok=True)
        held = msgspec.json.decode(file.read_bytes(), type=Identity) if file.is_file() else None
    except OSError as error:
        raise PoseGenError(
            f"{out}: cannot be written ({error.strerror}); name another --out"
        ) from None
    except msgspec.DecodeError as error:
        raise PoseGenError(f"{file}: unreadable ({error}); give another --out") from None
    if held is None:
        write_atomic(file, msgspec.json.format(msgspec.json.encode(now)) + b"\n")
        return now.choice
    counts = _DIFFERS if trains else ("dataset",)
    if other := [name for name in counts if getattr(held, name) != getattr(now, name)]:
        raise PoseGenError(
            f"{out}: begun with {_DIFFERS[other[0]]}; "
            "repeat the first command or give another --out"
        )
    return held.choice
