"""What judges is apart from what calibrates: masks by folder, photos, and copies of either."""

from pathlib import Path

import pytest

from posegen_calibration.apart import folder_of, split_masks, split_photos
from posegen_calibration.silhouettes import FoundSilhouette
from posegen_runtime.sources import Source


def sources(folders: int, each: int) -> list[Source]:
    names = [f"car{f:02}/{i:03}.png" for f in range(folders) for i in range(each)]
    return [Source(Path("/data") / name, name) for name in names]


def silhouettes(folders: int, each: int) -> list[FoundSilhouette]:
    return [FoundSilhouette(one, "", (0.1, 0.5, 0.5), None) for one in sources(folders, each)]


def folders_of(part) -> set[str]:
    return {folder_of(getattr(one, "source", one).name) for one in part}


def test_a_folder_is_on_one_side():
    split = split_masks(silhouettes(50, 10), seed=0)
    parts = (split.held_out, split.trial, split.rest)
    assert [len(part) for part in parts] == [62, 24, 400]
    held = [folders_of(part) for part in parts]
    assert [len(names) for names in held] == [7, 3, 40]
    assert len(set.union(*held)) == 50
    assert split.folders == held[0] | held[1]
    assert split.explanation == "62 masks of 7 folders held out, 24 of 3 folders for the trial"
    assert split_masks(silhouettes(50, 10), seed=1).folders != split.folders


def test_few_folders_are_split_by_mask():
    split = split_masks(silhouettes(15, 10), seed=0)
    assert [len(part) for part in (split.held_out, split.trial, split.rest)] == [18, 18, 114]
    assert folders_of(split.rest) == folders_of(silhouettes(15, 1))
    assert split.folders == frozenset()
    assert split.explanation == "18 masks held out, 18 for the trial"


def test_a_folder_that_is_most_of_the_data_stays():
    uneven = [*silhouettes(16, 1), *silhouettes(1, 400)[1:]]
    split = split_masks(uneven, seed=0)
    assert "car00" not in split.folders
    assert len(split.rest) >= 399


@pytest.mark.parametrize("seed", range(3))
def test_photos_of_the_same_folders_as_the_masks(seed):
    folders = split_masks(silhouettes(50, 10), seed).folders
    apart, rest = split_photos(sources(50, 4), folders, seed)
    assert folders_of(apart) == folders
    assert len(apart) + len(rest) == 200
    assert not folders_of(apart) & folders_of(rest)


def test_photos_of_other_folders_are_split_by_their_own():
    apart, rest = split_photos(sources(16, 4), frozenset({"elsewhere"}), 0)
    assert (len(apart), len(rest)) == (8, 56)
    assert not folders_of(apart) & folders_of(rest)


def test_photos_of_one_folder_are_split_one_by_one():
    apart, rest = split_photos(sources(1, 40), frozenset(), 0)
    assert (len(apart), len(rest)) == (5, 35)
    assert not {s.name for s in apart} & {s.name for s in rest}


def test_few_photos_serve_both():
    few = sources(1, 15)
    assert split_photos(few, frozenset(), 0) == (few, few)
    assert split_photos([], frozenset(), 0) == ([], [])


def test_a_photo_under_two_names_is_on_one_side(tmp_path):
    names = []
    for number in range(20):
        (tmp_path / f"{number}.png").write_bytes(b"")
        (tmp_path / f"again{number}.png").symlink_to(tmp_path / f"{number}.png")
        names += [f"{number}.png", f"again{number}.png"]
    apart, rest = split_photos([Source(tmp_path / name, name) for name in names], frozenset(), 0)
    assert not {s.path.resolve() for s in apart} & {s.path.resolve() for s in rest}
    assert len(apart) + len(rest) == 40


def test_photos_that_are_all_one_file_serve_both(tmp_path):
    (tmp_path / "one.png").write_bytes(b"")
    same = [Source(tmp_path / "one.png", f"{number}.png") for number in range(20)]
    assert split_photos(same, frozenset(), 0) == (same, same)
