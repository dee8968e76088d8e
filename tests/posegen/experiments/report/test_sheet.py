import cv2
import numpy as np

from posegen.experiments.report.sheet import APART, EDGE, GAP, sheet
from posegen.experiments.report.strips import Strip, strip


def pictures(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 128, 128, 3), np.uint8)


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def place(sheet: np.ndarray, picture: np.ndarray) -> tuple[int, int]:
    """(x, y) of the one place where the sheet shows exactly that picture."""
    found = cv2.matchTemplate(sheet.copy(), picture.copy(), cv2.TM_SQDIFF)
    y, x = np.unravel_index(int(found.argmin()), found.shape)
    np.testing.assert_array_equal(sheet[y : y + 128, x : x + 128], picture)
    return int(x), int(y)


def test_every_picture_stands_where_it_belongs() -> None:
    one = strip("One", "", pictures(0, 2), ("a", "b"))
    two = strip("Two " * 40, "wraps", pictures(1, 2), ("a", "b"))
    low = strip("$x_1$", "", pictures(2, 1), ("a",))
    drawn = decoded(sheet([[one, two], [None, low]]))
    wide = 2 * 128 + GAP
    assert drawn.shape[1] == 2 * EDGE + 2 * wide + APART
    first, second = (place(drawn, each) for each in one.pictures)
    assert second == (first[0] + 128 + GAP, first[1])
    right = place(drawn, two.pictures[0])
    assert right == (first[0] + wide + APART, first[1]), "strips of a row stand level"
    below = place(drawn, low.pictures[0])
    assert below[0] == right[0]
    assert below[1] > first[1] + 128
    assert (drawn[first[1] - 1 : first[1] + 128, first[0] - 1] == 255).all()


def test_text_stands_above_its_strip_alone() -> None:
    one = strip("Some words", "", pictures(0, 2), ("a", "b"))
    wordless = Strip("", "", one.pictures, one.names)
    drawn = decoded(sheet([[one, wordless]]))
    x, y = place(drawn, one.pictures[0])
    head = drawn[:y].min(axis=(0, 2))
    assert head[: x + 130].min() < 128
    assert head[x + 260 :].min() == 255
    assert sheet([[one]]) == sheet([[one]])
