"""The choice of samples from folders, through a bundle; bad folders are refused in one line."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from posegen_calibration.sampling import Sampling, data_hashes
from posegen_calibration.source import SampleSet, find_samples
from posegen_runtime.bundle import Bundle
from posegen_runtime.errors import PoseGenError
from tiny_bundle import SIZE, example_mask, example_photo, write_tiny_bundle

Choose = Callable[..., SampleSet]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """40 masks, 3 appearances and 5 backgrounds."""
    for number in range(40):
        write(tmp_path / f"masks/{number:03}.png", example_mask(number))
    for number in range(3):
        write(tmp_path / f"appearance/{number}.png", example_photo(number))
    for number in range(5):
        write(tmp_path / f"background/{number}.png", example_photo(10 + number))
    return tmp_path


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def choose(folders: Path, told: list[str]) -> Choose:
    def find(variant: str = "pose-appearance-background", **options: object) -> SampleSet:
        root = folders / f"bundle-{variant}"
        if not root.exists():
            write_tiny_bundle(root, variant, viewpoint=variant != "pose")
        given = {n: folders / n for n in ("masks", "appearance", "background")}
        if variant == "pose":
            given = {"masks": folders / "masks"}
        return find_samples(Bundle.load(root), Sampling(**{**given, **options}), told.append)

    return find


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), image)


def names(samples: SampleSet) -> list[tuple[str, str, str]]:
    jobs = [sample.job for sample in samples.chosen]
    return [(j.mask.name, j.appearance.name, j.background.name) for j in jobs]


def test_masks_with_varied_conditions_and_none_of_them_held_out(choose: Choose):
    samples = choose(samples=24)
    assert len(samples.chosen) == 24
    assert samples.counts()["masks"] == 24
    assert samples.counts()["appearances"] == 3
    assert samples.counts()["backgrounds"] == 5
    parts = (samples.chosen, samples.trial, samples.held_out)
    masks = [{sample.job.mask.name for sample in part} for part in parts]
    assert [len(names) for names in masks] == [24, 5, 5]
    assert len(set.union(*masks)) == 34


def test_the_seed_decides(choose: Choose):
    assert names(choose(samples=24)) == names(choose(samples=24))
    assert names(choose(samples=24)) != names(choose(samples=24, seed=1))


def test_few_masks_stand_for_several_samples_with_other_conditions(choose: Choose, told: list[str]):
    samples = choose(samples=100)
    assert len(set(names(samples))) == 100
    assert samples.counts()["masks"] == 30
    assert any("each stands for up to 4" in line for line in told)


def test_batches_hold_what_the_generator_takes(choose: Choose):
    samples = choose(samples=16)
    made = list(samples.batches(samples.chosen, 6))
    assert [len(feeds["mask"]) for feeds in made] == [6, 6, 4]
    shapes = {name: (array.dtype.name, array.shape[1:]) for name, array in made[0].items()}
    assert shapes == {
        "mask": ("uint8", (SIZE, SIZE)),
        "appearance": ("uint8", (SIZE, SIZE, 3)),
        "background": ("uint8", (SIZE, SIZE, 3)),
        "viewpoint": ("float32", (3,)),
    }
    first = samples.chosen[0].job
    assert np.array_equal(made[0]["mask"][0], cv2.imread(str(first.mask.path), 0))


def test_without_poses_half_of_the_viewpoints_are_drawn(choose: Choose, told: list[str]):
    samples = choose(samples=24)
    known = [np.linalg.norm(s.viewpoint) for s in samples.chosen if any(s.viewpoint)]
    assert len(known) == 12
    assert known == pytest.approx([1] * 12)
    assert any("drawn by the seed" in line for line in told)


@pytest.mark.parametrize("missing", ["appearance", "background"])
def test_a_conditioned_model_is_not_calibrated_on_its_default(choose: Choose, missing: str):
    with pytest.raises(PoseGenError, match=f"--{missing}: the model takes one"):
        choose(**{missing: None})


def test_an_empty_or_missing_folder(choose: Choose, folders: Path):
    (folders / "empty").mkdir()
    with pytest.raises(PoseGenError, match=r"--masks .*empty: no images found"):
        choose(masks=folders / "empty")
    with pytest.raises(PoseGenError, match=r"--background .*nowhere: no such folder"):
        choose(background=folders / "nowhere")


def test_too_few_masks(choose: Choose, folders: Path):
    for number in range(7):
        write(folders / f"few/{number}.png", example_mask(number))
    with pytest.raises(PoseGenError, match="7 different masks are too few"):
        choose(masks=folders / "few", samples=16)


def test_copies_of_a_mask_count_once(choose: Choose, folders: Path, told: list[str]):
    for number in range(6):
        write(folders / f"masks/copy{number}.png", example_mask(number))
    samples = choose(samples=24)
    assert "left out: 6 of 46 silhouettes, which are copies of others" in told
    parts = (samples.chosen, samples.trial, samples.held_out)
    assert len({s.job.mask.name for part in parts for s in part}) == 34
    for number in range(20):
        write(folders / f"few/{number}.png", example_mask(number % 7))
    with pytest.raises(PoseGenError, match="7 different masks are too few"):
        choose(masks=folders / "few", samples=16)


def test_masks_that_judge_have_photos_of_their_own(choose: Choose, folders: Path, told: list[str]):
    for number in range(24):
        write(folders / f"background/more{number}.png", example_photo(40 + number))
    samples = choose(samples=24)
    judging = {s.job.background.name for s in samples.trial + samples.held_out}
    assert len(judging) <= 3
    assert not judging & {s.job.background.name for s in samples.chosen}
    assert (
        "kept apart: 5 masks held out, 5 for the trial; of their own: none of 3 appearances, "
        "3 of 29 backgrounds" in told
    )


def test_too_few_samples_name_the_option(choose: Choose):
    with pytest.raises(PoseGenError, match=r"30 samples, 512 are asked for; .*lower --samples"):
        choose("pose")
    assert len(choose("pose", samples=30).chosen) == 30


def test_masks_of_other_sizes_are_placed_as_in_a_run(
    choose: Choose, folders: Path, told: list[str]
):
    for number in range(6):
        write(folders / f"masks/large{number}.png", example_mask(number, 3 * SIZE))
    samples = choose(samples=24)
    assert any("6 of 46 masks have other sizes than the model's 64×64" in line for line in told)
    shapes = {f["mask"].shape[1:] for f in samples.batches(samples.chosen)}
    assert shapes == {(SIZE, SIZE)}


def test_a_few_unusable_masks_are_named_and_left_out(
    choose: Choose, folders: Path, told: list[str]
):
    (folders / "masks/broken.png").write_bytes(b"no image")
    write(folders / "masks/empty.png", np.zeros((SIZE, SIZE), np.uint8))
    samples = choose(samples=24)
    left_out = [line for line in told if line.startswith("left out: ")]
    assert [line.split()[2] for line in left_out] == ["broken.png:", "empty.png:"]
    used = {s.job.mask.name for s in samples.chosen + samples.trial + samples.held_out}
    assert not used & {"broken.png", "empty.png"}


def test_many_unusable_masks_are_refused(choose: Choose, folders: Path):
    for number in range(10):
        write(folders / f"masks/empty{number}.png", np.zeros((SIZE, SIZE), np.uint8))
    with pytest.raises(PoseGenError, match=r"10 of 50 masks cannot be used, such as empty0\.png"):
        choose(samples=24)


def test_an_unreadable_background_is_named(choose: Choose, folders: Path):
    (folders / "background/broken.png").write_bytes(b"no image")
    samples = choose(samples=24)
    with pytest.raises(PoseGenError, match=r"broken\.png.*remove or repair"):
        list(samples.batches(samples.chosen))


def test_hashes_follow_names_and_contents_and_not_the_place(folders: Path):
    here = data_hashes(Sampling(masks=folders / "masks"))
    moved = folders / "elsewhere"
    (folders / "masks").rename(moved)
    assert data_hashes(Sampling(masks=moved)) == here
    (moved / "000.png").rename(moved / "renamed.png")
    renamed = data_hashes(Sampling(masks=moved))
    (moved / "renamed.png").rename(moved / "000.png")
    write(moved / "000.png", example_mask(99))
    changed = data_hashes(Sampling(masks=moved))
    assert len({h["masks"] for h in (here, renamed, changed)}) == 3
