"""Jobs: names that never collide, pairs that follow from seed and names alone."""

import os
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from posegen_runtime import PoseGenError
from posegen_runtime.jobs import Job, distinct_pairs, find_images, plan
from posegen_runtime.sources import Source
from posegen_runtime.stems import OutputStems


def sources(*names: str) -> list[Source]:
    return [Source(Path(name), name) for name in names]


def stems_of(*names: str) -> dict[str, str]:
    stems = OutputStems(sources(*names))
    return {name: stems[name] for name in names}


def pairs(jobs: list[Job]) -> dict[tuple[str, int], tuple[str, str]]:
    return {
        (j.mask.name, j.variation): (j.appearance.name, j.background.name)
        for j in jobs
        if j.appearance and j.background
    }


MASKS = sources(*(f"{i}.png" for i in range(60)))
CARS = sources("red.png", "blue.png", "white.png")
SCENES = sources("beach.png", "street.png", "yard.png", "night.png")


def test_pairs_do_not_depend_on_order_or_on_other_masks() -> None:
    all_pairs = pairs(list(plan(MASKS, CARS, SCENES, 2, seed=7)))
    some = pairs(list(plan(list(reversed(MASKS))[:10], CARS, SCENES, 2, seed=7)))
    assert some.items() <= all_pairs.items()
    assert len(some) == 20


def test_the_seed_changes_the_pairs() -> None:
    first = pairs(list(plan(MASKS, CARS, SCENES, 1, seed=0)))
    second = pairs(list(plan(MASKS, CARS, SCENES, 1, seed=1)))
    assert sum(first[key] != second[key] for key in first) > 30


def test_no_pair_comes_twice_before_each_came_once() -> None:
    jobs = list(plan(MASKS, CARS, SCENES, distinct_pairs(CARS, SCENES), seed=3))
    for mask in MASKS:
        drawn = {p for (name, _), p in pairs(jobs).items() if name == mask.name}
        assert len(drawn) == 12


def test_all_conditions_are_drawn_about_equally_often() -> None:
    jobs = list(plan(sources(*map(str, range(1200))), CARS, SCENES, 1, seed=0))
    counts = Counter(pairs(jobs).values())
    assert len(counts) == 12
    assert 60 < min(counts.values()) <= max(counts.values()) < 140


def test_a_mask_alone() -> None:
    (job,) = plan(sources("a.png"), [], [], 1, seed=0)
    assert (job.stem, job.appearance, job.background) == ("a", None, None)
    assert distinct_pairs([], []) == 1


def test_names_that_differ_only_by_suffix_or_case_do_not_collide() -> None:
    names = ["d/a.png", "d/a.jpg", "D/A.png", "d/a_jpg.png", "b.png", "x.y.png"]
    stems = stems_of(*names)
    assert len({stem.casefold() for stem in stems.values()}) == len(names)
    assert stems["b.png"] == "b"
    assert stems["x.y.png"] == "x.y"
    assert stems["d/a_jpg.png"] == "d/a_jpg"
    assert stems["D/A.png"] == "D/A_png"
    assert stems["d/a.png"] == "d/a_png_"


def test_variations_are_named_in_order() -> None:
    jobs = list(plan(sources("a.png"), CARS, SCENES, 11, seed=0))
    suffixes = [job.variation_suffix for job in jobs]
    assert suffixes[:2] == ["-v00", "-v01"]
    assert sorted(suffixes) == suffixes


def test_find_images_takes_a_folder_or_a_file(masks: Path) -> None:
    assert [s.name for s in find_images(masks, "--masks")] == ["a.png", "b.png", "nested/a.png"]
    assert [s.name for s in find_images(masks / "b.png", "--masks")] == ["b.png"]
    with pytest.raises(PoseGenError, match=r"--masks .*missing: no such folder"):
        find_images(masks / "missing", "--masks")


def test_names_that_a_file_system_may_take_for_the_same_do_not_collide() -> None:
    stems = stems_of("e\u0301.png", "\u00e9.png", "STRASSE.png", "straße.png")
    folded = {unicodedata.normalize("NFC", stem.casefold()) for stem in stems.values()}
    assert len(folded) == 4


def test_a_folder_is_not_called_like_an_output() -> None:
    stems = stems_of("a.jpg", "a.png/b.jpg", "a_png/b.bmp", "c.TXT/d.png", "e.f/g.png")
    assert stems["a.jpg"] == "a"
    assert stems["a.png/b.jpg"] == "a_png/b_jpg"
    assert stems["a_png/b.bmp"] == "a_png/b_bmp"
    assert stems["c.TXT/d.png"] == "c_TXT/d"
    assert stems["e.f/g.png"] == "e.f/g"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")
def test_names_that_fit_in_no_line_of_utf8_are_known_by_another(tmp_path: Path) -> None:
    names = ["caf\udce9.png", "caf%E9.png", "z\n.png", "sub\udcff/a.png", "plain ü.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(os.fsencode(name))
    found = {source.name: source.path.read_bytes() for source in find_images(tmp_path, "--masks")}
    assert found == {
        "caf%E9.png": b"caf%E9.png",
        "caf%E9%.png": b"caf\xe9.png",
        "plain ü.png": "plain ü.png".encode(),
        "sub%FF/a.png": b"sub\xff/a.png",
        "z%0A.png": b"z\n.png",
    }
    assert list(found) == sorted(found)
    (single,) = find_images(tmp_path / "z\n.png", "--masks")
    assert single.name == "z%0A.png"
    with pytest.raises(
        PoseGenError, match=r"^--masks .*/sub%FF: the name is not UTF-8; rename it$"
    ):
        find_images(tmp_path / "sub\udcff", "--masks")
