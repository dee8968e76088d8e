"""A judge's checkpoint comes back as it was written, or is refused in one line."""

from pathlib import Path

import msgspec
import pytest
import safetensors.torch
import torch

from moving_judges import save_moving_judge
from posegen.judges.checkpoint import load_judge
from posegen.judges.config import JudgeKind
from posegen_runtime.errors import PoseGenError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_moving_judge(tmp_path / "judge.safetensors", JudgeKind.OUTLINE)


def rewrite(file: Path, **changes: object) -> None:
    """The same file with other tensors or another entry of the metadata."""
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    tensors = safetensors.torch.load_file(file)
    info = msgspec.json.decode(metadata["posegen-judge"])
    info |= {k: v for k, v in changes.items() if k in info}
    tensors |= {k: v for k, v in changes.items() if k in tensors}
    for name in changes.get("without", ()):
        del tensors[name]
    name = str(changes.get("entry", "posegen-judge"))
    safetensors.torch.save_file(tensors, file, {name: msgspec.json.encode(info).decode()})


def test_a_folder_stands_for_its_file(file: Path) -> None:
    loaded = load_judge(file.parent)
    assert loaded.info.config.kind is JudgeKind.OUTLINE
    assert loaded.info.figures == {"iou": 0.5}
    assert not loaded.judge.training
    stored = safetensors.torch.load_file(file)
    for name, tensor in loaded.judge.state_dict().items():
        assert torch.equal(tensor, stored[name])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "newer than 1"),
        ({"config": {"kind": "umpire"}}, "unreadable metadata"),
        ({"config": {"kind": "segmenter"}}, "do not fit the network"),
        ({"config": {"kind": "outline", "image_size": 33}}, "multiples of 16"),
        ({"entry": "posegen"}, "no judge's checkpoint"),
        ({"without": ["regressor.bins.bias"]}, "1 tensors missing"),
        ({"regressor.bins.bias": torch.full((16,), torch.nan)}, "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(file: Path, changes: dict[str, object], message: str) -> None:
    rewrite(file, **changes)
    with pytest.raises(PoseGenError, match=message) as error:
        load_judge(file)
    assert "\n" not in str(error.value)


def test_a_damaged_file_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(PoseGenError, match="no readable checkpoint"):
        load_judge(file)
