import pytest

from posegen_export.int8_speed import verdict


@pytest.mark.parametrize(
    ("times_as_fast", "word"),
    [
        (2.0, "faster"),
        (1.05, "faster"),
        (1.04, "about the same"),
        (1.0, "about the same"),
        (0.96, "about the same"),
        (0.95, "slower"),
        (0.4, "slower"),
    ],
)
def test_two_measurements_of_the_same_are_no_gain(times_as_fast, word):
    assert verdict(times_as_fast) == word
