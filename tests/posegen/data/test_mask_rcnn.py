"""Which silhouette is chosen, and the weights it is found with."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.detection import (
    MaskRCNN,
    MaskRCNN_ResNet50_FPN_Weights,
    maskrcnn_resnet50_fpn,
)
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from photo_folder import photo, scene, silhouette
from posegen.data import mask_rcnn
from posegen.data.mask_rcnn import Rule, Segmenter, coco_classes, load
from posegen.evaluation.judges import MaskJudge
from posegen.evaluation.pose import iou
from posegen_runtime.errors import PoseGenError
from red_segmenter import RedNetwork, detections

CAR, PERSON = coco_classes().index("car"), coco_classes().index("person")
FILE = "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
PHOTO = np.zeros((60, 80, 3), np.uint8)


def find(found: list, rule: Rule | None = None) -> mask_rcnn.Found:
    return Segmenter(lambda photos: [detections(found)], "", rule or Rule()).find([PHOTO])[0]


def box_of(mask: np.ndarray) -> tuple[int, ...]:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return columns[0], rows[0], columns[-1], rows[-1]


def test_the_largest_of_the_class_that_scores() -> None:
    found = find(
        [
            ((0, 0, 79, 59), PERSON, 0.99, 1),
            ((2, 2, 78, 58), CAR, 0.49, 1),
            ((30, 20, 40, 25), CAR, 0.95, 1),
            ((10, 20, 50, 50), CAR, 0.5, 1),
            ((5, 5, 75, 55), CAR, 0.9, 0.4),
        ]
    )
    assert found.mask is not None
    assert found.mask.dtype == np.uint8
    assert set(np.unique(found.mask)) == {0, 255}
    assert np.abs(np.subtract(box_of(found.mask), (10, 20, 50, 50))).max() <= 1
    assert found.score == 0.5


def test_the_size_is_that_of_the_mask_not_of_its_box() -> None:
    slim = np.zeros((28, 28))
    slim[:, 13:15] = 1
    found = find([((0, 0, 60, 50), CAR, 0.9, slim), ((60, 10, 78, 50), CAR, 0.6, 1)])
    assert found.score == pytest.approx(0.6)


def test_threshold_and_score_are_options() -> None:
    faint = [((10, 20, 50, 50), CAR, 0.3, 0.4)]
    assert find(faint).mask is None
    assert find(faint, Rule(min_score=0.3, threshold=0.5)).mask is None
    assert find(faint, Rule(min_score=0.25, threshold=0.4)).mask is not None


def test_as_the_judge_of_iou() -> None:
    """Where nothing is found the overlap is 0."""
    judge: MaskJudge = Segmenter(RedNetwork(), "", Rule())
    images = np.stack([photo(1, (120, 120)), scene(2, (120, 120))])
    found = judge.masks(images)
    assert found.dtype == np.uint8
    wanted = np.stack([silhouette(1, (120, 120))] * 2) > 0
    overlaps = iou(found > 127, wanted)
    assert overlaps[0] > 0.9
    assert overlaps[1] == 0


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "no car: nothing was found"),
        ([((0, 0, 9, 9), PERSON, 0.9, 1)], "no car: what was found is person"),
        ([((0, 0, 9, 9), CAR, 0.31, 1)], "no car: the best scores 0.31, needed are 0.5"),
        ([((0, 0, 9, 9), CAR, 0.9, 0.1)], "no car: its mask is empty"),
    ],
)
def test_why_there_is_none(found: list, why: str) -> None:
    assert find(found).reason == why


def small_network() -> MaskRCNN:
    """torchvision's own, of few channels and with random weights."""
    torch.manual_seed(3)
    backbone = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 9, stride=8, padding=4), torch.nn.ReLU())
    backbone.out_channels = 8
    network = MaskRCNN(
        backbone,
        min_size=64,
        max_size=107,
        rpn_anchor_generator=AnchorGenerator(((16, 32, 48),), ((0.5, 1.0, 2.0),)),
        rpn_post_nms_top_n_test=60,
        box_roi_pool=MultiScaleRoIAlign(["0"], 7, 2),
        box_predictor=FastRCNNPredictor(1024, len(coco_classes())),
        mask_head=MaskRCNNHeads(8, (8,), 1),
        mask_predictor=MaskRCNNPredictor(8, 8, len(coco_classes())),
        box_detections_per_img=25,
        box_nms_thresh=0.9,
    ).eval()
    with torch.no_grad():
        network.roi_heads.box_predictor.cls_score.weight *= 3
        network.roi_heads.box_predictor.cls_score.bias[CAR] += 4.5
        network.roi_heads.mask_predictor.mask_fcn_logits.weight *= 30
    return network


def by_hand(network: MaskRCNN, photos: list[np.ndarray], rule: Rule) -> list[np.ndarray]:
    """The rule, on what torchvision documents that it gives: masks of the photo's size."""
    tensors = [torch.from_numpy(photo).permute(2, 0, 1).float() / 255 for photo in photos]
    with torch.inference_mode():
        results = network(tensors)
    chosen = []
    for result in results:
        kept = (result["labels"] == CAR) & (result["scores"] >= rule.min_score)
        assert kept.sum() > 1
        masks = (result["masks"][kept, 0] >= rule.threshold).numpy()
        chosen.append(max(masks, key=np.sum) * 255)
    return chosen


def some_photos() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = ((60, 80, 3), (90, 50, 3))
    return [rng.integers(0, 256, shape).astype(np.uint8) for shape in shapes]


def test_the_masks_are_those_that_torchvision_pastes() -> None:
    network, rule, photos = small_network(), Rule(min_score=0.3, threshold=0.48), some_photos()
    wanted = by_hand(network, photos, rule)
    network.transform.postprocess = mask_rcnn._unpasted
    found = Segmenter(network, "", rule).find(photos)
    for each, mask, image in zip(found, wanted, photos, strict=True):
        assert each.mask is not None
        assert each.mask.shape == image.shape[:2]
        assert np.array_equal(each.mask, mask)


@pytest.mark.slow
def test_weights_are_read_as_torchvision_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file in torch's cache, through torchvision's own builder and through ours."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(0)
    made = mask_rcnn._build(64)
    with torch.no_grad():
        made.roi_heads.box_predictor.cls_score.weight *= 0.01
        made.roi_heads.box_predictor.cls_score.bias[CAR] += 6
        made.roi_heads.mask_predictor.mask_fcn_logits.weight *= 0.1
        for name, buffer in made.named_buffers():  # an eps of 1e-5 shows beside these
            if name.endswith("running_var"):
                buffer.fill_(1e-4)
            elif name.endswith("weight"):
                buffer.fill_(1e-2)
    file = tmp_path / "hub" / "checkpoints" / FILE
    file.parent.mkdir(parents=True)
    torch.save(made.state_dict(), file)
    theirs = maskrcnn_resnet50_fpn(
        weights=MaskRCNN_ResNet50_FPN_Weights.COCO_V1, min_size=64, max_size=107
    ).eval()
    rule, photos = Rule(min_side=64), some_photos()
    ours = load(rule, file, hashlib.sha256(file.read_bytes()).hexdigest(), "cpu")
    for found, mask in zip(ours.find(photos), by_hand(theirs, photos, rule), strict=True):
        assert found.mask is not None
        assert np.array_equal(found.mask, mask)


def test_weights_that_are_missing_or_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / FILE
    with pytest.raises(
        PoseGenError, match=f"are missing; get https.*{FILE} and put it at {cached}"
    ):
        load(Rule())
    with pytest.raises(PoseGenError, match=f"--weights {tmp_path}/none.pth: no such file"):
        load(Rule(), tmp_path / "none.pth")
    with pytest.raises(PoseGenError, match=r"--weights-sha256: .*give both"):
        load(Rule(), None, "00")
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"other")
    digest = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(PoseGenError, match=f"its sha256 is {digest[:12]}…, not bf2d0c1e"):
        load(Rule())
    with pytest.raises(PoseGenError, match="not that of --weights-sha256"):
        load(Rule(), cached, "0" * 64)


def test_a_file_of_other_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_rcnn, "_build", lambda side: small_network())
    text, other = tmp_path / "text.pth", tmp_path / "other.pth"
    text.write_bytes(b"no weights")
    torch.save({"weight": torch.zeros(3)}, other)
    for file in (text, other):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        with pytest.raises(
            PoseGenError, match=f"{file}: holds no weights of torchvision's"
        ) as said:
            load(Rule(), file, digest)
        assert "\n" not in str(said.value)


def test_a_class_that_coco_has_not() -> None:
    with pytest.raises(PoseGenError, match=r"cra: no class of COCO's 80; such as .*car"):
        load(Rule("cra"))
    for name in ("N/A", "__background__"):
        with pytest.raises(PoseGenError, match="no class"):
            load(Rule(name))
