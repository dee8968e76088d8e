import re

from posegen_runtime.report.style import CSS

DARK = "@media screen and (prefers-color-scheme:dark){:root{"


def test_every_colour_is_named_in_light_and_in_dark() -> None:
    light, found, dark = CSS.partition(DARK)
    assert found
    dark = dark.partition("}}")[0]
    names = set(re.findall(r"(--\w+):", light))
    assert names == set(re.findall(r"(--\w+):", dark))
    assert names == set(re.findall(r"var\((--\w+)\)", CSS))
