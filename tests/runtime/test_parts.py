"""Parts of a list of jobs."""

import pytest

from posegen_runtime.errors import PoseGenError
from posegen_runtime.parts import Part


@pytest.mark.parametrize("jobs", [0, 1, 6, 7, 8])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 9])
def test_parts_hold_each_job_once(jobs: int, count: int) -> None:
    found = []
    for index in range(count):
        part = Part(index, count)
        mine = list(part.of(range(jobs)))
        assert len(mine) == part.size(jobs)
        assert mine == [part.number(place) for place in range(len(mine))]
        assert all(number % count == index for number in mine)
        found += mine
    assert sorted(found) == list(range(jobs))


def test_users_count_from_one() -> None:
    assert Part.parse("2/4") == Part(1, 4)
    assert Part.parse(" 4 / 4 ") == Part(3, 4)
    assert str(Part(1, 4)) == "2/4"


@pytest.mark.parametrize(
    "text", ["", "2", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/2/3", "1.0/2", "²/4"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(PoseGenError, match=r"--shard .*: give I/N, such as 2/4"):
        Part.parse(text)
