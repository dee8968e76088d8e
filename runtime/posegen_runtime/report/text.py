"""Values as people read them, safe to put into HTML."""

import html
import time
from itertools import pairwise

MAX_TEXT = 160
"""Characters shown of a name, a reason or a setting."""


def escape(text: str, limit: int = MAX_TEXT) -> str:
    """`text` for HTML, in one line: its middle left out where it is longer than `limit`, and what
    cannot be seen or encoded (line breaks, text direction, stray bytes) spelled out."""
    if len(text) > limit:
        text = f"{text[: limit // 2]}…{text[-(limit // 2 - 1) :]}"
    return html.escape("".join(c if c.isprintable() else _spelled(c) for c in text))


def count(value: int) -> str:
    return f"{value:,}"


def plural(value: int, noun: str) -> str:
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def share(part: float, whole: float) -> str:
    """A percentage that is 0% or 100% only when it is exactly that."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1%"
    if 99.9 < percent < 100:
        return "> 99.9%"
    return f"{percent:.1f}%" if percent % 1 else f"{percent:.0f}%"


def figure(value: float) -> str:
    """Three digits of a number that is not negative: 0, 0.0123, 4.56, 37.2, 1,234."""
    if value >= 99.95:
        return f"{value:,.0f}"
    if value >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.995 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """In the unit that suits: 0.35 ms, 12.3 s, 4 min 10 s, 8 h 12 min, 3 d 4 h."""
    if seconds < 1:
        return f"{figure(1000 * seconds)} ms"
    if seconds < 99.95:
        return f"{figure(seconds)} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for (big, size), (small, part) in pairwise(units):
        if seconds >= size:
            whole, rest = divmod(round(seconds / part), size // part)
            return f"{whole} {big} {rest} {small}" if rest else f"{whole} {big}"
    raise AssertionError("more than a minute and a half fits one of the units")


def clock(unix: float) -> str:
    """Year, day and time, in UTC: a report is read on other machines."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(unix))


def setting(value: object) -> str:
    """A value of `run.json` in words, as HTML."""
    if value is None or value == "" or value == []:
        return '<span class="dim">not set</span>'
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return escape(", ".join(str(item) for item in value[:20]) + ", …" * (len(value) > 20))
    return escape(str(value))


def _spelled(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python keeps it in names
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
