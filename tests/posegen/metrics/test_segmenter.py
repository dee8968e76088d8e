from pathlib import Path

import numpy as np
import pytest

from posegen.data.mask_rcnn import Found
from posegen.metrics import segmenter
from posegen.metrics.looking import look
from posegen.metrics.segmenter import MaskRCNN, SegmenterChoice
from posegen_runtime.errors import PoseGenError
from simple_judges import write_judge


class Bright:
    """Finds what is bright; nothing in a dark photo."""

    def find(self, photos: list[np.ndarray]) -> list[Found]:
        masks = [(photo[..., 0] > 127).astype(np.uint8) * np.uint8(255) for photo in photos]
        return [Found(mask) if mask.any() else Found(None, reason="dark") for mask in masks]


def test_iou_of_what_mask_rcnn_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((2, 20, 40, 3), np.uint8)
    images[0, :10] = 200
    asked = np.zeros((2, 64, 64), np.uint8)
    asked[:, :, :32] = 255
    monkeypatch.setattr(segmenter, "load", lambda *_: Bright())
    judge = SegmenterChoice(coco_class="car").open()
    assert isinstance(judge, MaskRCNN)
    assert judge.masks(images).shape == (2, 20, 20)
    seen = look([(images, asked)], (), judge)
    assert seen.iou is not None
    np.testing.assert_allclose(seen.iou, [1 / 3, 0])


def test_a_judge_without_a_class(tmp_path: Path) -> None:
    write_judge(tmp_path / "segmenter", "segmenter")
    judge = SegmenterChoice(judges=tmp_path).open()
    assert judge is not None
    assert judge.masks(np.zeros((1, 16, 16, 3), np.uint8)).shape == (1, 16, 16)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (
            SegmenterChoice(coco_class="car", weights=Path("no.pth")),
            "--segment-weights no.pth: no such file",
        ),
        (SegmenterChoice(weights=Path("w.pth")), "give --segment CLASS too"),
        (SegmenterChoice(judges=Path("j"), coco_class="car"), "--judges, --segment: give one"),
        (SegmenterChoice(coco_class="cra"), "cra"),
    ],
)
def test_what_cannot_be_used(choice: SegmenterChoice, said: str) -> None:
    with pytest.raises(PoseGenError) as error:
        choice.open("cpu")
    assert said in str(error.value)
