"""The pose gate: INT8 images that have lost the object are seen, and a judge that cannot say."""

import numpy as np
import pytest

from posegen_export import int8_pose
from posegen_export.int8_pose import MAX_LOSS, MIN_IMAGES, measure_pose

SIZE = 32


class Judge:
    """Finds what is red."""

    manifest = type("Manifest", (), {"image_size": SIZE})

    def __init__(self, path, threads):
        pass

    def masks(self, images):
        return np.where(images[..., 0] > 127, 255, 0).astype(np.uint8)


class Painter:
    """Paints the object where the mask asks for it, but for `lost` pixels' columns."""

    def __init__(self, lost=0, changed=lambda masks: masks):
        self.lost = lost
        self.changed = changed

    def run(self, feeds):
        masks = self.changed(feeds["mask"]).copy()
        masks[:, :, : self.lost] = 0
        return {"image": np.repeat(masks[..., None], 3, axis=3)}


@pytest.fixture(autouse=True)
def _judge(monkeypatch):
    monkeypatch.setattr(int8_pose, "Segmenter", Judge)


def bars(count=MIN_IMAGES):
    """A bar in another row each, from the left border on."""
    masks = np.zeros((count, SIZE, SIZE), np.uint8)
    for row in range(count):
        masks[row, row % SIZE] = 255
    return [{"mask": masks[start : start + 2]} for start in range(0, count, 2)]


def test_the_same_images_keep_the_gate():
    pose = measure_pose(Painter(), Painter(), bars())
    assert (pose.images, pose.fp32, pose.int8, pose.shuffled) == (MIN_IMAGES, 1, 1, 0)
    assert pose.judged
    assert pose.missed == []


def test_int8_that_loses_a_part_of_the_object_misses_it():
    pose = measure_pose(Painter(), Painter(lost=1), bars())
    assert pose.int8 == pytest.approx(31 / 32)
    assert pose.missed == [f"pose IoU 0.9688, FP32's is 1.0000: may be at most {MAX_LOSS} lower"]


def test_int8_that_puts_it_elsewhere_misses_it():
    moved = Painter(changed=lambda masks: np.roll(masks, 3, axis=1))
    assert "pose IoU 0.0000" in measure_pose(Painter(), moved, bars()).missed[0]


def test_few_masks_are_not_judged():
    pose = measure_pose(Painter(), Painter(lost=16), bars(MIN_IMAGES - 2))
    assert not pose.judged
    assert pose.why_not == "14 held-out masks are too few to judge, 16 are needed"
    assert pose.missed == []


def test_what_fp32_does_not_show_either_is_not_judged():
    nothing = Painter(lost=SIZE)
    pose = measure_pose(nothing, nothing, bars())
    assert pose.missed == []
    assert pose.why_not.startswith("the shipped judge does not see the asked silhouettes in FP32's")


def test_masks_that_overlap_anyway_are_not_judged():
    """Half of the picture is asked for each time, and the image is all object."""
    masks = np.full((MIN_IMAGES, SIZE, SIZE), 255, np.uint8)
    for row in range(MIN_IMAGES):
        masks[row, row] = 0
    everything = Painter(changed=lambda masks: np.full_like(masks, 255))
    pose = measure_pose(everything, everything, [{"mask": masks}])
    assert pose.fp32 > 0.9
    assert not pose.judged


def test_the_shuffled_control_is_never_the_same_mask():
    twice = [{"mask": np.repeat(feeds["mask"], 2, axis=0)} for feeds in bars()]
    assert measure_pose(Painter(), Painter(), twice).shuffled == 0
    alike = [{"mask": bars()[0]["mask"][[0] * MIN_IMAGES]}]
    assert measure_pose(Painter(), Painter(), alike).shuffled == 0
