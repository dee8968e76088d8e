"""Numbers and names as people read them."""

import pytest

from posegen_runtime.report.text import duration, escape, figure, plural, setting, share


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.00035, "0.35 ms"),
        (0.9994, "999 ms"),
        (12.34, "12.3 s"),
        (99.9, "99.9 s"),
        (99.96, "1 min 40 s"),
        (250, "4 min 10 s"),
        (3599.9, "60 min"),
        (29_520, "8 h 12 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_shares_are_round_only_where_they_are_exact() -> None:
    shares = [share(part, 100_000) for part in (0, 1, 50_000, 33_333, 99_999, 100_000)]
    assert shares == ["0%", "< 0.1%", "50%", "33.3%", "> 99.9%", "100%"]
    assert share(0, 0) == "–"


def test_figures_and_counts() -> None:
    assert [figure(v) for v in (0, 0.01234, 0.9999, 4.567, 37.25, 1234.5)] == [
        "0", "0.0123", "1.00", "4.57", "37.2", "1,234",
    ]  # fmt: skip
    assert [plural(n, "image") for n in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]


def test_names_are_escaped_spelled_out_and_cut_in_the_middle() -> None:
    assert escape('<a href="x">\'&') == "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;"
    assert escape("a\nb\udcffc\u2066d") == "a\\nb\\xffc\\u2066d"
    cut = escape("a" * 200 + "b" * 200, 100)
    assert len(cut) == 100
    assert cut.startswith("aaa")
    assert cut.endswith("bbb")
    assert "…" in cut


def test_settings() -> None:
    assert [setting(v) for v in (True, False, 0, 0.5, [1, "<"])] == [
        "yes",
        "no",
        "0",
        "0.5",
        "1, &lt;",
    ]
    assert "not set" in setting(None)
    assert setting(list(range(30))).endswith("19, …")
