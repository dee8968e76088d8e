"""Training images on the fly: what a sample holds, and that workers and epochs share them out."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from posegen_runtime import PoseGenError
from posegen_runtime.torch import GeneratedImages
from tiny_bundle import SIZE, example_mask, expected_image


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for index in range(11):
        cv2.imwrite(str(folder / f"{index:02}.png"), example_mask(index))
    return folder


def made(images: GeneratedImages, **how: Any) -> dict[str, torch.Tensor]:
    """Image by name; none may come twice."""
    samples = list(DataLoader(images, batch_size=None, **how))
    found = {sample["name"]: sample["image"] for sample in samples}
    assert len(found) == len(samples)
    return found


def test_a_sample_is_the_image_of_its_labels(many: Path, photos: Path, tiny_bundle: Path) -> None:
    images = GeneratedImages(many, bundle=tiny_bundle, background=photos, fit="stretch")
    assert len(images) == 11
    (batch,) = DataLoader(images, batch_size=11)
    assert batch["image"].shape == (11, 3, SIZE, SIZE)
    assert batch["image"].dtype == torch.uint8
    assert batch["mask"].dtype == torch.bool
    assert not batch["viewpoint"].any()
    assert {*batch["category"].tolist()} == {1}
    default = cv2.imread(str(tiny_bundle / "defaults/appearance.png"))[..., ::-1]
    for row, name in enumerate(batch["name"]):
        mask = example_mask(int(name[:2]))
        np.testing.assert_array_equal(batch["mask"][row].numpy(), mask > 0)
        x, y, width, height = cv2.boundingRect(mask)
        assert batch["box"][row].tolist() == [x, y, x + width, y + height]
        assert batch["area"][row] == np.count_nonzero(mask)
        image = batch["image"][row].permute(1, 2, 0).numpy()
        shown = expected_image(mask, default, image)  # outside the mask it is the background
        np.testing.assert_array_equal(image, shown)


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_share_an_epoch_and_the_seed_decides_it(
    many: Path, photos: Path, tiny_bundle: Path, persistent: bool
) -> None:
    images = GeneratedImages(many, bundle=tiny_bundle, background=photos, seed=3)
    alone = [made(images)]
    images.set_epoch(1)
    alone.append(made(images))
    loader = DataLoader(
        images,
        batch_size=None,
        num_workers=2,
        persistent_workers=persistent,
        multiprocessing_context="fork",
    )
    for epoch in (0, 1):
        images.set_epoch(epoch)
        shared = list(loader)
        assert len(shared) == 11
        for sample in shared:
            assert torch.equal(sample["image"], alone[epoch][sample["name"]])
    assert any(not torch.equal(alone[0][name], alone[1][name]) for name in alone[0])
    assert list(alone[0]) != list(alone[1])


def test_processes_share_the_silhouettes(many: Path, tiny_bundle: Path) -> None:
    """Each gets as many, so that none waits for another; what is left over comes another time."""
    seen = set()
    for epoch in range(4):
        given = []
        for rank in range(3):
            images = GeneratedImages(many, bundle=tiny_bundle, rank=rank, world=3)
            images.set_epoch(epoch)
            given.append(made(images))
            assert len(images) == 3
        assert [len(names) for names in given] == [3, 3, 3]
        names = [name for one in given for name in one]
        assert len(set(names)) == 9
        seen |= {*names}
    assert seen == {*made_names(many)}


def test_processes_have_as_many_each_with_workers_too(many: Path, tiny_bundle: Path) -> None:
    given = [
        made(
            GeneratedImages(many, bundle=tiny_bundle, rank=rank, world=2),
            num_workers=2,
            multiprocessing_context="fork",
        )
        for rank in range(2)
    ]
    assert [len(names) for names in given] == [5, 5]
    assert not {*given[0]} & {*given[1]}


def test_a_part_without_usable_masks_does_not_end_the_training(
    many: Path, tiny_bundle: Path
) -> None:
    for path in sorted(many.iterdir())[2:]:
        path.unlink()
    (many / "01.png").write_bytes(b"no image")
    images = GeneratedImages(many, bundle=tiny_bundle)
    assert len(made(images, num_workers=2, multiprocessing_context="fork")) == 1
    rank = GeneratedImages(many, bundle=tiny_bundle, rank=1, world=2, shuffle=False)
    with pytest.warns(UserWarning, match=r"none of the masks of part 2/2 can be used.* 01\.png"):
        assert not made(rank)


def made_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_per_mask_draws_backgrounds(many: Path, photos: Path, tiny_bundle: Path) -> None:
    images = GeneratedImages(
        many, bundle=tiny_bundle, background=photos, per_mask=3, transform=lambda s: s["name"]
    )
    names = list(images)
    assert len(names) == len(images) == 33
    assert {names.count(name) for name in names} == {3}


def test_poses_are_those_of_the_crop(many: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    pose = {
        "mask": "03.png",
        "category": "car",
        "R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "t_m2c": [0, 0, 5],
        "t_unit": "m",
        "cam_K": [100, 0, 32, 0, 100, 32, 0, 0, 1],
        "image_size": [SIZE, SIZE],
        "camera_frame": "opencv",
        "pixel_center": "half",
    }
    file = tmp_path / "poses.jsonl"
    file.write_text(json.dumps(pose) + "\n")
    images = GeneratedImages(many, bundle=tiny_bundle, poses=file, fit="stretch")
    (batch,) = DataLoader(images, batch_size=11)
    row = batch["name"].index("03.png")
    assert batch["posed"].tolist() == [name == "03.png" for name in batch["name"]]
    assert batch["t_m2c"][row].tolist() == [0, 0, 5]
    assert batch["cam_K"][row].tolist() == [[100, 0, 32], [0, 100, 32], [0, 0, 1]]
    assert batch["viewpoint"][row].any()
    assert not batch["R_m2c"][row - 1].any()


def test_an_unusable_mask_is_left_out(many: Path, tiny_bundle: Path) -> None:
    (many / "05.png").write_bytes(b"no image")
    images = GeneratedImages(many, bundle=tiny_bundle)
    with pytest.warns(UserWarning, match=r"left out: 05\.png"):
        assert len(made(images)) == 10
    for path in many.iterdir():
        cv2.imwrite(str(path), np.zeros((SIZE, SIZE), np.uint8))
    images = GeneratedImages(many, bundle=tiny_bundle, mask_values="half")
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(PoseGenError, match="no mask can be used"),
    ):
        list(images)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"masks": "nowhere"}, "--masks nowhere"),
        ({"fit": "best"}, "fit 'best': must be one of"),
        ({"per_mask": 0}, "per_mask 0: must be at least 1"),
        ({"seed": -1}, "seed -1: must be at least 0"),
        ({"rank": 2}, "rank and world: give both"),
        ({"rank": 2, "world": 2}, "rank 2 of world 2"),
        ({"rank": 0, "world": 12}, "11 samples for 12 processes"),
    ],
)
def test_wrong_options(many: Path, tiny_bundle: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(PoseGenError, match=message):
        GeneratedImages(**{"masks": many, "bundle": tiny_bundle, **given})


def test_an_epoch_below_zero_is_refused_at_once(many: Path, tiny_bundle: Path) -> None:
    with pytest.raises(PoseGenError, match="epoch -1: must be at least 0"):
        GeneratedImages(many, bundle=tiny_bundle).set_epoch(-1)
