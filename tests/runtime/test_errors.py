"""Messages are one line that any terminal and any file can take, whatever a file is called."""

import pytest

from posegen_runtime.errors import MaskRejected, PoseGenError, printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb", "a%0Ab"),
        ("a\r\tb", "a%0D%09b"),
        ("\x1b[31mred", "%1B[31mred"),
        ("a\u2028b", "a%E2%80%A8b"),
        ("caf\udce9", "caf%E9"),
        ("half a pair \ud800", "half a pair %ED%A0%80"),
        ("ü 写真\u3000\u00a0👩‍🚒 50%.png", "ü 写真\u3000\u00a0👩‍🚒 50%.png"),
    ],
)
def test_what_cannot_be_shown_is_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert printable(shown) == shown
    for kind in (PoseGenError, MaskRejected):
        message = str(kind(f"{name}: is bad"))
        assert message == f"{shown}: is bad"
        assert len(message.splitlines()) == 1
        message.encode()
