from pathlib import Path

import pytest

from posegen.data.pairing import Partners

ROOT = Path("masks")


def partners(*names: str) -> Partners:
    return Partners(ROOT, [ROOT / name for name in names])


@pytest.mark.parametrize(
    "mask",
    ["a.png", "a_mask.png", "A.PNG", "a.jpg.png", "a_000000.png", "deep/er/a.png", "a-mask.webp"],
)
def test_the_ways_a_mask_is_named(mask: str) -> None:
    assert partners(mask, "b.png").of(Path("a.jpg")) == [ROOT / mask]


@pytest.mark.parametrize("mask", ["aa.png", "a_000001.png", "_mask.png", "a_depth.png"])
def test_other_names_are_no_partner(mask: str) -> None:
    assert partners(mask).of(Path("a.jpg")) == []


def test_the_path_counts_before_the_name() -> None:
    found = partners("left/a.png", "right/a.png")
    assert found.of(Path("right/a.jpg")) == [ROOT / "right/a.png"]
    assert len(found.of(Path("a.jpg"))) == 2


def test_a_name_as_it_is_counts_before_one_without_its_ending() -> None:
    assert partners("a.png", "a_mask.png").of(Path("a.jpg")) == [ROOT / "a.png"]
    assert len(partners("a_mask.png", "a_seg.png").of(Path("a.jpg"))) == 2
